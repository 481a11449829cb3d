# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of include/kturn/wire.c. OpenSSL is for the checks only: the wire
# code itself knows no HMAC.

WIRE_TEST := $(B)/selftests/wire/wire_test
WIRE_TEST_SRC := $(wildcard selftests/wire/*.c) selftests/ktap.c \
	include/kturn/wire.c

test-programs: $(WIRE_TEST)

$(WIRE_TEST): $(WIRE_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ -lcrypto
