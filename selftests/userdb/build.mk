# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of the user store and of how its texts are prepared.

USERDB_TESTS := userdb opaque
USERDB_TEST_BIN := $(USERDB_TESTS:%=$(B)/selftests/userdb/%_test)
USERDB_TEST_SRC := selftests/ktap.c $(wildcard user/db/*.c user/precis/*.c)

test-programs: $(USERDB_TEST_BIN)

$(USERDB_TEST_BIN): $(B)/selftests/userdb/%: $(B)/san/selftests/userdb/%.o \
		$(USERDB_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ $(USERDB_LIBS) \
		$(PRECIS_LIBS)
