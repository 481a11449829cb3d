# SPDX-License-Identifier: GPL-2.0-or-later
#
# The wire code, for every userspace program that reads or writes STUN. The
# kernel module compiles wire.c itself.

WIRE_OBJ := $(B)/include/kturn/wire.o

ALL += $(WIRE_OBJ)
