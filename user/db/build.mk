# SPDX-License-Identifier: GPL-2.0-or-later
#
# The user store, linked into kturnd and kturn: $(USERDB_OBJ) $(PRECIS_LIB)
# $(USERDB_LIBS) $(PRECIS_LIBS)

USERDB_OBJ := $(addprefix $(B)/user/db/,userdb.o open.o userhash.o tables.o credential.o)
USERDB_LIBS := -lsqlite3 -lcrypto

ALL += $(USERDB_OBJ)
