# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd, and the program that writes the options' part of its manual.

KTURND := $(B)/kturnd
KTURND_MKMAN := $(B)/kturnd-mkman
KTURND_SRC := $(filter-out %/mkman.c,$(wildcard user/kturnd/*.c))
KTURND_LIBS = -levent_core -lyaml -ljansson -lnl-route-3 -lnl-3 \
	$(LIBKTURN_LIBS) $(USERDB_LIBS)
CFLAGS_user/kturnd := $(shell $(PKG_CONFIG) --cflags libnl-3.0)

ALL += $(KTURND)

# user/lib/build.mk, which names the library, is read after this file.
$(KTURND): $(KTURND_SRC:%.c=$(B)/%.o) $(B)/user/kturnd/turn/libturn.a \
		$(USERDB_OBJ) $(B)/libkturn.a $(B)/include/kturn/wire.o
	$(CC) $(KT_LDFLAGS) $(CFLAGS) -o $@ $^ $(KTURND_LIBS)
