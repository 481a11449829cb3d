# SPDX-License-Identifier: GPL-2.0-or-later
#
# libkturn, with the wire code, as an archive for our own programs and shared for
# everybody else's.

LIBKTURN_SOVERSION := 0
LIBKTURN_SRC := $(wildcard user/lib/*.c) include/kturn/wire.c
LIBKTURN_A := $(B)/libkturn.a
LIBKTURN_SO := $(B)/libkturn.so.$(LIBKTURN_SOVERSION)
LIBKTURN_LIBS := -lmnl

ALL += $(LIBKTURN_A) $(LIBKTURN_SO)

$(LIBKTURN_A): $(LIBKTURN_SRC:%.c=$(B)/%.o)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(KT_CFLAGS)) -fPIC $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIBKTURN_SO): $(LIBKTURN_SRC:%.c=$(B)/pic/%.o) user/lib/libkturn.map
	$(CC) -shared $(filter-out -pie,$(KT_LDFLAGS)) $(CFLAGS) \
		-Wl,-soname,$(@F) -Wl,-z,defs \
		-Wl,--version-script=user/lib/libkturn.map \
		-o $@ $(filter %.o,$^) $(LIBKTURN_LIBS)
	ln -sf $(@F) $(B)/libkturn.so

.PHONY: install-libkturn
install: install-libkturn
install-libkturn: $(LIBKTURN_A) $(LIBKTURN_SO)
	install -d $(DESTDIR)$(libdir)/pkgconfig \
		$(DESTDIR)$(includedir)/kturn $(DESTDIR)$(includedir)/linux \
		$(DESTDIR)$(mandir)/man3
	install -m 644 $(LIBKTURN_A) $(DESTDIR)$(libdir)
	install -m 755 $(LIBKTURN_SO) $(DESTDIR)$(libdir)
	ln -sf $(notdir $(LIBKTURN_SO)) $(DESTDIR)$(libdir)/libkturn.so
	sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@includedir@|$(includedir)|' \
		-e 's|@VERSION@|$(VERSION)|' user/lib/libkturn.pc.in \
		>$(DESTDIR)$(libdir)/pkgconfig/libkturn.pc
	install -m 644 user/lib/kturn.h user/lib/kturn_entries.h \
		$(DESTDIR)$(includedir)
	install -m 644 Documentation/man/libkturn.3 $(DESTDIR)$(mandir)/man3
	install -m 644 include/kturn/wire.h include/kturn/numbers.h \
		$(DESTDIR)$(includedir)/kturn
	install -m 644 include/uapi/linux/kturn.h \
		$(DESTDIR)$(includedir)/linux

# Programs of somebody else's, as examples.
KTURN_EXAMPLES := $(patsubst user/lib/examples/%.c,$(B)/examples/%, \
	$(wildcard user/lib/examples/*.c))

test-programs: $(KTURN_EXAMPLES)

$(KTURN_EXAMPLES): $(B)/examples/%: user/lib/examples/%.c $(LIBKTURN_A)
	@mkdir -p $(@D)
	$(CC) $(KT_CFLAGS) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ $(LIBKTURN_LIBS)
