# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests and the tools that they take from the kernel's sources.

# checkpatch, kernel-doc and ynl, out of Debian's linux-source package.
LINUX_SOURCE := $(B)/linux-source-6.12
LINUX_SOURCE_PARTS := scripts/checkpatch.pl scripts/spelling.txt \
	scripts/const_structs.checkpatch scripts/kernel-doc tools/net/ynl \
	Documentation/netlink

$(LINUX_SOURCE)/.extracted: /usr/src/linux-source-6.12.tar.xz
	@mkdir -p $(@D)
	@echo "  EXTRACT $(@D) (half a minute at most)"
	@flock $(@D) tar -C $(@D) --strip-components=1 -xf $< \
		$(addprefix linux-source-6.12/,$(LINUX_SOURCE_PARTS))
	@touch $@

.PHONY: linux_source
linux_source: $(LINUX_SOURCE)/.extracted

# What VMs, whose Python is the system's, begin with.
PYCACHE := $(B)/selftests/pycache

test-programs: $(PYCACHE)/.filled

$(PYCACHE)/.filled: $(wildcard selftests/*/*.py)
	@mkdir -p $(@D)
	@env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=$(abspath $(@D)) \
		/usr/bin/python3 selftests/py/compile.py $(CURDIR)/selftests
	@touch $@

# Sparse over everything that is compiled for userspace. It does not know the
# compiler's hardening options.
USER_SOURCES := $(shell find user include/kturn -name '*.c')

.PHONY: user_sparse $(USER_SOURCES:%=user_sparse/%)
user_sparse: $(USER_SOURCES:%=user_sparse/%)
$(USER_SOURCES:%=user_sparse/%): user_sparse/%:
	@sparse -Wbitwise -O2 $(filter -std=% -D% -I%, \
		$(KT_CFLAGS) $(CFLAGS_$(*D))) $*

.PHONY: style
style:
	@selftests/deps style
	@selftests/style/style.sh

# Everything that has to be right: T=GROUP runs one group of tests only.
.PHONY: check
check:
	@MAKE="$(MAKE)" T="$(T)" selftests/check
