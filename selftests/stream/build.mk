# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of what kturnd's streams are made of, and DTLS for tests' clients.

STREAM_TEST := $(B)/selftests/stream/stream_test
STREAM_PARTS := frame proxy queue

test-programs: $(STREAM_TEST)

$(STREAM_TEST): $(B)/san/selftests/stream/stream_test.o \
		$(B)/san/selftests/ktap.o \
		$(STREAM_PARTS:%=$(B)/san/user/kturnd/transport/%.o) \
		$(B)/san/user/common/address.o $(B)/san/user/lib/text.o
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^

DTLS_PIPE := $(B)/selftests/stream/dtls_pipe

test-programs: $(DTLS_PIPE)

$(DTLS_PIPE): $(DTLS_PIPE).o
	$(CC) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ -lssl -lcrypto
