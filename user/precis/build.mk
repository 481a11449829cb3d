# SPDX-License-Identifier: GPL-2.0-or-later
#
# How user names, realms and passwords are prepared. Who links it adds
# $(PRECIS_LIBS).

PRECIS_SRC := $(wildcard user/precis/*.c)
PRECIS_LIB := $(B)/user/precis/libprecis.a
PRECIS_LIBS := -lunistring

ALL += $(PRECIS_LIB)

$(PRECIS_LIB): $(PRECIS_SRC:%.c=$(B)/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
