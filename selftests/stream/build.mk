# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of what kturnd's streams are made of, and clients that
# Python has no means for.

STREAM_TEST := $(B)/selftests/stream/stream_test
STREAM_PARTS := frame proxy queue

test-programs: $(STREAM_TEST)

$(STREAM_TEST): $(B)/san/selftests/stream/stream_test.o \
		$(B)/san/selftests/ktap.o \
		$(STREAM_PARTS:%=$(B)/san/user/kturnd/transport/%.o) \
		$(B)/san/user/common/address.o $(B)/san/user/lib/text.o
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^

STREAM_CLIENTS := $(addprefix $(B)/selftests/stream/,dtls_pipe tls_flood)

test-programs: $(STREAM_CLIENTS)

$(STREAM_CLIENTS): %: %.o
	$(CC) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ -lssl -lcrypto
