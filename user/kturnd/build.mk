# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd, and the program that writes the options' part of its manual.

KTURND := $(B)/kturnd
KTURND_MKMAN := $(B)/kturnd-mkman
KTURND_SRC := $(filter-out %/mkman.c,$(wildcard user/kturnd/*.c \
	user/kturnd/transport/*.c user/kturnd/nat/*.c \
	user/kturnd/store/*.c))
KTURND_LIBS = -lnatpmp -lminiupnpc -lssl -levent_core -lyaml -ljansson -lnl-route-3 -lnl-3 \
	$(LIBKTURN_LIBS) $(USERDB_LIBS) $(PRECIS_LIBS)

# Databases for users, where their libraries are there.
KTURND_DBS := $(shell for lib in libpq hiredis; do \
	$(PKG_CONFIG) --exists $$lib && echo $$lib; done)
ifeq ($(filter libpq,$(KTURND_DBS)),)
KTURND_SRC := $(filter-out %/postgres.c,$(KTURND_SRC))
endif
ifeq ($(filter hiredis,$(KTURND_DBS)),)
KTURND_SRC := $(filter-out %/redis.c,$(KTURND_SRC))
endif
ifneq ($(KTURND_DBS),)
KTURND_LIBS += $(shell $(PKG_CONFIG) --libs $(KTURND_DBS))
CFLAGS_user/kturnd/store := $(shell $(PKG_CONFIG) --cflags $(KTURND_DBS))
endif
CFLAGS_user/kturnd/store += $(if $(filter libpq,$(KTURND_DBS)),-DKTURN_LIBPQ) \
	$(if $(filter hiredis,$(KTURND_DBS)),-DKTURN_HIREDIS)

CFLAGS_user/kturnd := $(shell $(PKG_CONFIG) --cflags libnl-3.0)
CFLAGS_user/kturnd/nat := $(CFLAGS_user/kturnd)

ALL += $(KTURND)

# The libraries' own build.mk are read after this file.
$(KTURND): $(KTURND_SRC:%.c=$(B)/%.o) $(B)/user/kturnd/turn/libturn.a \
		$(B)/user/common/libcommon.a $(USERDB_OBJ) \
		$(B)/user/precis/libprecis.a $(B)/libkturn.a
	$(CC) $(KT_LDFLAGS) $(CFLAGS) -o $@ $^ $(KTURND_LIBS)

# The same with sanitizers, for its tests.
KTURND_SAN := $(B)/san/kturnd
KTURND_SAN_SRC := $(KTURND_SRC) include/kturn/wire.c \
	$(wildcard $(addprefix user/,kturnd/turn/*.c common/*.c precis/*.c \
	db/*.c lib/*.c))

test-programs: $(KTURND_SAN)

$(KTURND_SAN): $(KTURND_SAN_SRC:%.c=$(B)/san/%.o)
	$(CC) $(KT_SANITIZE) $(KT_SAN_RUNTIME) $(CFLAGS) $(KT_LDFLAGS) \
		-o $@ $^ $(KTURND_LIBS)

# The pages hold what this prints between two marks; a test compares. To bring
# them up to date: make man
test-programs: $(KTURND_MKMAN)

$(KTURND_MKMAN): $(addprefix $(B)/user/kturnd/,mkman.o option.o option_help.o option_read.o \
		option_clients.o option_external.o option_set.o option_users.o origin.o \
		token_key.o db_url.o \
		config.o file.o turn/limit.o) $(USERDB_OBJ) $(B)/user/precis/libprecis.a \
		$(B)/user/common/libcommon.a $(B)/libkturn.a
	$(CC) $(KT_LDFLAGS) $(CFLAGS) -o $@ $^ $(USERDB_LIBS) $(LIBKTURN_LIBS) \
		$(PRECIS_LIBS)

.PHONY: man
man: $(KTURND_MKMAN)
	for page in kturnd.8:flags kturnd.yaml.5:yaml; do \
		$< $${page#*:} >$(B)/options.man && \
		sed -i -e '/^\.\\" options begin/,/^\.\\" options end/{' \
			-e '/^\.\\" options begin/{p;r $(B)/options.man' \
			-e '}' -e '/^\.\\" options end/!d' -e '}' \
			Documentation/man/$${page%:*} || exit; \
	done

.PHONY: install-kturnd
install: install-kturnd
install-kturnd: $(KTURND)
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man5 \
		$(DESTDIR)$(mandir)/man8
	install -m 755 $(KTURND) $(DESTDIR)$(sbindir)
	install -m 644 Documentation/man/kturnd.8 $(DESTDIR)$(mandir)/man8
	install -m 644 Documentation/man/kturnd.yaml.5 \
		$(DESTDIR)$(mandir)/man5
