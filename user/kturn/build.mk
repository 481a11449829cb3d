# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn, the command line tool.

KTURN := $(B)/kturn
KTURN_SRC := $(wildcard user/kturn/*.c)
KTURN_LIBS = $(LIBKTURN_LIBS) $(USERDB_LIBS) $(PRECIS_LIBS) -ljansson -lcrypto

ALL += $(KTURN)

# The libraries' own build.mk are read after this file.
$(KTURN): $(KTURN_SRC:%.c=$(B)/%.o) $(B)/libkturn.a $(USERDB_OBJ) \
		$(B)/user/precis/libprecis.a $(B)/user/common/libcommon.a
	$(CC) $(KT_LDFLAGS) $(CFLAGS) -o $@ $^ $(KTURN_LIBS)

# The same with sanitizers, for "make check SANITIZE=1".
KTURN_SAN_SRC := $(KTURN_SRC) include/kturn/wire.c \
	$(wildcard $(addprefix user/,common/*.c db/*.c lib/*.c precis/*.c))

ifneq ($(SANITIZE),)
test-programs: $(B)/san/kturn
endif

$(B)/san/kturn: $(KTURN_SAN_SRC:%.c=$(B)/san/%.o)
	$(CC) $(KT_SANITIZE) $(KT_SAN_RUNTIME) $(CFLAGS) $(KT_LDFLAGS) \
		-o $@ $^ $(KTURN_LIBS)

bashcompdir ?= $(prefix)/share/bash-completion/completions

.PHONY: install-kturn
install: install-kturn
install-kturn: $(KTURN)
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man8 \
		$(DESTDIR)$(bashcompdir)
	install -m 755 $(KTURN) $(DESTDIR)$(sbindir)
	install -m 644 Documentation/man/kturn.8 $(DESTDIR)$(mandir)/man8
	install -m 644 user/kturn/completion.bash \
		$(DESTDIR)$(bashcompdir)/kturn
