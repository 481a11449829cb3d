# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of what kturn-pair learns, in user/pair.

LEARN_TEST := $(B)/selftests/learn/learn_test
LEARN_TEST_SRC := $(wildcard selftests/learn/*.c) $(addprefix user/pair/, \
	answer.c learn.c packet.c request.c transaction.c) \
	$(addprefix user/common/,address.c log.c siphash.c table.c) \
	user/lib/text.c selftests/ktap.c include/kturn/wire.c

test-programs: $(LEARN_TEST)

$(LEARN_TEST): $(LEARN_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ -lcrypto
