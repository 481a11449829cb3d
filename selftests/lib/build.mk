# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of libkturn, with its insides.

LIB_TEST := $(B)/selftests/lib/lib_test
LIB_TEST_SRC := selftests/lib/lib_test.c selftests/ktap.c $(LIBKTURN_SRC)

test-programs: $(LIB_TEST)

CFLAGS_selftests/lib := -Iuser/lib

$(LIB_TEST): $(LIB_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ $(LIBKTURN_LIBS)
