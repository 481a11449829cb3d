# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn-pair.

PAIR := $(B)/kturn-pair
PAIR_SRC := $(wildcard user/pair/*.c)
PAIR_LIBS = -lnetfilter_log -lnetfilter_conntrack -lnftables -levent_core -levent_extra -lcrypto -ljansson \
	$(LIBKTURN_LIBS)

ALL += $(PAIR)

# The libraries' own build.mk are read after this file.
$(PAIR): $(PAIR_SRC:%.c=$(B)/%.o) $(B)/user/common/libcommon.a $(B)/libkturn.a
	$(CC) $(KT_LDFLAGS) $(CFLAGS) -o $@ $^ $(PAIR_LIBS)

# The same with sanitizers, for "make check SANITIZE=1".
PAIR_SAN_SRC := $(PAIR_SRC) include/kturn/wire.c \
	$(wildcard $(addprefix user/,common/*.c lib/*.c))

ifneq ($(SANITIZE),)
test-programs: $(B)/san/kturn-pair
endif

$(B)/san/kturn-pair: $(PAIR_SAN_SRC:%.c=$(B)/san/%.o)
	$(CC) $(KT_SANITIZE) $(KT_SAN_RUNTIME) $(CFLAGS) $(KT_LDFLAGS) \
		-o $@ $^ $(PAIR_LIBS)

unitdir ?= $(prefix)/lib/systemd/system

.PHONY: install-pair
install: install-pair
install-pair: $(PAIR)
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man8 \
		$(DESTDIR)$(unitdir) $(DESTDIR)$(sysconfdir)/default
	install -m 755 $(PAIR) $(DESTDIR)$(sbindir)
	install -m 644 Documentation/man/kturn-pair.8 $(DESTDIR)$(mandir)/man8
	sed 's|@sbindir@|$(sbindir)|' user/pair/kturn-pair.service.in \
		>$(DESTDIR)$(unitdir)/kturn-pair.service
	[ -e $(DESTDIR)$(sysconfdir)/default/kturn-pair ] || \
		install -m 644 user/pair/kturn-pair.default \
			$(DESTDIR)$(sysconfdir)/default/kturn-pair
