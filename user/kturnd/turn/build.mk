# SPDX-License-Identifier: GPL-2.0-or-later
#
# The TURN state machine, for kturnd, its tests and its fuzzer. Who links it
# adds $(COMMON_LIB), $(WIRE_OBJ), $(PRECIS_LIB), $(PRECIS_LIBS) and -lcrypto.

TURN_SRC := $(wildcard user/kturnd/turn/*.c)
TURN_LIB := $(B)/user/kturnd/turn/libturn.a

ALL += $(TURN_LIB)

$(TURN_LIB): $(TURN_SRC:%.c=$(B)/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
