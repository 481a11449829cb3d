# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of the user store.

USERDB_TEST := $(B)/selftests/userdb/userdb_test
USERDB_TEST_SRC := selftests/userdb/userdb_test.c selftests/ktap.c \
	$(wildcard user/db/*.c)

test-programs: $(USERDB_TEST)

$(USERDB_TEST): $(USERDB_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ $(USERDB_LIBS)
