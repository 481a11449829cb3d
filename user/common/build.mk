# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the programs share.

COMMON_SRC := $(wildcard user/common/*.c)
COMMON_LIB := $(B)/user/common/libcommon.a

ALL += $(COMMON_LIB)

$(COMMON_LIB): $(COMMON_SRC:%.c=$(B)/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
