# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests of the TURN state machine in user/kturnd/turn.

TURN_TEST := $(B)/selftests/turn/turn_test
TURN_TEST_SRC := $(wildcard selftests/turn/*.c user/kturnd/turn/*.c) \
	$(wildcard user/precis/*.c) user/common/table.c user/common/siphash.c \
	user/kturnd/quota.c \
	selftests/ktap.c include/kturn/wire.c

test-programs: $(TURN_TEST)

$(TURN_TEST): $(TURN_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ -lcrypto $(PRECIS_LIBS)
