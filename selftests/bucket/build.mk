# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of include/kturn/bucket.h.

BUCKET_TEST := $(B)/selftests/bucket/bucket_test
BUCKET_TEST_SRC := selftests/bucket/bucket_test.c selftests/ktap.c

test-programs: $(BUCKET_TEST)

$(BUCKET_TEST): $(BUCKET_TEST_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^
