# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit tests of parts of kturnd.

KTURND_TESTS := steer peer_acl parts quota nat store
KTURND_TEST_BIN := $(KTURND_TESTS:%=$(B)/selftests/kturnd/%_test)
KTURND_PARTS := errors file origin peer_acl quota random relay \
	reserve reserved_ports socket source_limit steer token_key \
	nat/epoch nat/pcp_wire db_url park option_read store/cache \
	store/redis_url store/tables turn/limit turn/pool

test-programs: $(KTURND_TEST_BIN)

$(KTURND_TEST_BIN): $(B)/selftests/kturnd/%: \
		$(B)/san/selftests/kturnd/%.o $(B)/san/selftests/ktap.o \
		$(KTURND_PARTS:%=$(B)/san/user/kturnd/%.o) \
		$(addprefix $(B)/san/user/common/,address.o log.o range.o siphash.o table.o) \
		$(B)/san/user/lib/text.o
	@mkdir -p $(@D)
	$(CC) $(KT_SANITIZE) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ -lcrypto $(PRECIS_LIBS)

# Beside a store that the test makes up.
$(B)/selftests/kturnd/store_test: $(addprefix $(B)/san/user/,kturnd/users.o \
	db/credential.o precis/freeform.o precis/opaque.o)
