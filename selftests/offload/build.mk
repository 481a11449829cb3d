# SPDX-License-Identifier: GPL-2.0-or-later
#
# What takes the kernel away from kturnd for a while.

MNL_SHIM := $(B)/selftests/offload/mnl_shim.so

test-programs: $(MNL_SHIM)

$(MNL_SHIM): selftests/offload/mnl_shim.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(KT_CFLAGS)) -fPIC -shared -O2 -o $@ $< -ldl
