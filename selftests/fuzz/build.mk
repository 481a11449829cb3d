# SPDX-License-Identifier: GPL-2.0-or-later
#
# libFuzzer targets, one per parser. To add one: write selftests/fuzz/NAME.c
# with fuzz_one() (see fuzz.h), put small inputs into selftests/fuzz/corpus/NAME/
# (binary, GPL-2.0-or-later like the rest here), and add it to FUZZERS. What
# it needs besides the wire code, which is linked into each, goes below the list:
#
#	fuzz_src_NAME := user/kturnd/NAME.c
#	fuzz_libs_NAME := -lyaml

CLANG	?= clang

FUZZERS	:= stun xor_addr channel_data send fingerprint builder opaque turn config \
	frame proxy dtls pcp token

fuzz_src_opaque := $(wildcard user/precis/*.c)
fuzz_libs_opaque := $(PRECIS_LIBS)

# In the world that the tests of the state machine made.
fuzz_src_turn := $(wildcard user/kturnd/turn/*.c user/precis/*.c) \
	user/kturnd/quota.c \
	user/common/table.c user/common/siphash.c \
	selftests/turn/world.c selftests/turn/accounts.c selftests/turn/client.c selftests/turn/links.c \
	selftests/turn/visits.c
fuzz_libs_turn := -lcrypto $(PRECIS_LIBS)

fuzz_src_token := user/kturnd/turn/token.c
fuzz_libs_token := -lcrypto

fuzz_src_frame := user/kturnd/transport/frame.c
fuzz_src_proxy := user/kturnd/transport/proxy.c user/common/address.c \
	user/lib/text.c

fuzz_src_dtls := $(addprefix user/kturnd/,transport/dtls.c transport/tls.c file.c random.c) \
	$(addprefix user/common/,address.c log.c siphash.c table.c) user/lib/text.c
fuzz_libs_dtls := -lssl -lcrypto -levent_core

fuzz_src_pcp := user/kturnd/nat/pcp_wire.c

fuzz_src_config := $(addprefix user/kturnd/,config.c config_yaml.c option.c \
	option_clients.c option_external.c option_help.c option_read.c option_set.c option_users.c \
	origin.c token_key.c db_url.c file.c turn/limit.c) \
	$(addprefix user/common/,address.c limit_text.c log.c siphash.c) user/db/credential.c user/lib/text.c \
	$(wildcard user/precis/*.c)
fuzz_libs_config := -lyaml -lcrypto $(PRECIS_LIBS)

FUZZ_CFLAGS := $(filter-out -D_FORTIFY_SOURCE=% -U_FORTIFY_SOURCE,$(KT_CFLAGS)) \
	-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_SANITIZE := address,undefined
FUZZ_BIN := $(FUZZERS:%=$(B)/selftests/fuzz/%)

.PHONY: fuzzers
fuzzers: $(FUZZ_BIN)

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) \
		-MMD -MP -c -o $@ $<

$(foreach name,$(FUZZERS),$(eval $(B)/selftests/fuzz/$(name): \
	$(addprefix $(B)/fuzz/,$(fuzz_src_$(name):.c=.o))))

$(FUZZ_BIN): $(B)/selftests/fuzz/%: $(B)/fuzz/selftests/fuzz/%.o \
		$(B)/fuzz/include/kturn/wire.o
	@mkdir -p $(@D)
	$(CLANG) -fsanitize=fuzzer,$(FUZZ_SANITIZE) -pie -o $@ $^ $(fuzz_libs_$*)
