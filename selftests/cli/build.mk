# SPDX-License-Identifier: GPL-2.0-or-later
#
# A network card for the tests of kturn check-host.

ETHTOOL_SHIM := $(B)/selftests/cli/ethtool_shim.so

test-programs: $(ETHTOOL_SHIM)

$(ETHTOOL_SHIM): selftests/cli/ethtool_shim.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(KT_CFLAGS)) -fPIC -shared -O2 -o $@ $< -ldl
