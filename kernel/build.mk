# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module: make modules KDIR=<build directory or headers of a kernel>.
#
# Kbuild writes its objects next to the sources, and 6.1's can't be told
# otherwise. So each kernel release gets a directory of symbolic links to the
# sources, and the source tree stays clean.

# What uname -r says there: Debian's kernel.release holds another version.
KRELEASE := $(subst ",,$(lastword \
	$(file < $(KDIR)/include/generated/utsrelease.h)))
MODULE_DIR := $(B)/modules/$(KRELEASE)
MODULE_SOURCES := $(wildcard Kbuild kernel/*.[ch] kernel/tests/*.[ch] \
	kernel/compat/*/*.[ch] include/kturn/*.[ch] include/uapi/linux/*.h)

# Two builds for the same kernel wait for each other.
KBUILD = flock $(MODULE_DIR)/lock \
	$(MAKE) -C $(KDIR) M=$(abspath $(MODULE_DIR)/src)

.PHONY: modules modules_sparse
modules: $(if $(KRELEASE),$(MODULE_DIR)/kturn.ko,modules_no_headers)

# Kbuild's own sparse run over every file of the module; what it finds is on
# standard error.
modules_sparse: modules
	$(KBUILD) C=2 CF=-D__CHECK_ENDIAN__ modules

.PHONY: modules_no_headers
modules_no_headers:
	@echo >&2 "make modules: KDIR=$(KDIR) has no configured kernel" \
		"(include/generated/utsrelease.h is missing there)"
	@false

$(MODULE_DIR)/kturn.ko: $(MODULE_SOURCES) $(MODULE_DIR)/sources \
		$(wildcard $(KDIR)/Module.symvers $(KDIR)/.config)
	@for file in $(MODULE_SOURCES); do \
		link=$(MODULE_DIR)/src/$$file; \
		[ "$$(readlink $$link)" = $(CURDIR)/$$file ] && continue; \
		mkdir -p $${link%/*} && ln -sfn $(CURDIR)/$$file $$link || \
			exit 1; \
	done
	@find $(MODULE_DIR)/src -xtype l -delete
	$(KBUILD) modules
	@rm -f $(MODULE_DIR)/kturn_kunit.ko
	@[ ! -e $(MODULE_DIR)/src/kturn_kunit.ko ] || \
		cp $(MODULE_DIR)/src/kturn_kunit.ko $(MODULE_DIR)
	@cp $(MODULE_DIR)/src/kturn.ko $@.$$$$ && mv $@.$$$$ $@

# The list of sources, written when it changes: that a file is gone can't be
# seen from the times of those that are left.
ifneq ($(file < $(MODULE_DIR)/sources),$(CURDIR) $(MODULE_SOURCES))
.PHONY: $(MODULE_DIR)/sources
endif
$(MODULE_DIR)/sources:
	@mkdir -p $(@D)
	@echo $(CURDIR) $(MODULE_SOURCES) >$@

# Where modprobe finds it, for the kernel of KDIR. Below a DESTDIR depmod is a
# matter for whoever installs what is there.
.PHONY: modules_install
modules_install: modules
	install -d $(DESTDIR)/lib/modules/$(KRELEASE)/updates
	install -m 644 $(MODULE_DIR)/kturn.ko \
		$(DESTDIR)/lib/modules/$(KRELEASE)/updates
	$(if $(DESTDIR),,depmod $(KRELEASE))

# The sources for dkms(8), which builds the module for each kernel.
DKMS_DIR := $(DESTDIR)/usr/src/kturn-$(VERSION)

.PHONY: install-dkms
install-dkms:
	rm -rf $(DKMS_DIR)
	@for file in $(MODULE_SOURCES); do \
		install -D -m 644 $$file $(DKMS_DIR)/$$file || exit 1; \
	done
	sed 's/@VERSION@/$(VERSION)/' kernel/dkms.conf >$(DKMS_DIR)/dkms.conf
