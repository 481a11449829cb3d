# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn: a TURN relay in the kernel.
#
#   make                 userspace, into build/ (no kernel headers needed)
#   make test-programs   unit tests, into build/selftests/
#   make fuzzers         fuzz targets, into build/selftests/fuzz/ (needs clang)
#   make modules KDIR=…  kturn.ko for one kernel, into build/modules/<release>/
#   make run             install what is needed, start a relay, prove it, serve
#   make check [T=NAMES] install what is needed, run every test (or some groups)
#   make check SANITIZE=1 the same with sanitizers in all of our programs
#   make bench           what a packet costs on each path, in instructions; or
#                        what hardware relays, with REMOTE= NEAR= FAR=
#   make style           checkpatch, sparse, shellcheck, codespell, yamllint
#   make install         DESTDIR= and prefix= are honoured

VERSION	:= 0.1.0
B	?= build
prefix	?= /usr/local
sbindir	?= $(prefix)/sbin
libdir	?= $(prefix)/lib
mandir	?= $(prefix)/share/man
includedir ?= $(prefix)/include
sysconfdir ?= /etc
KDIR	?= /lib/modules/$(shell uname -r)/build
CC	?= cc
PKG_CONFIG ?= pkg-config

ifeq ($(origin CC),default)
CC	:= gcc
endif

CFLAGS	?= -O2 -g
KT_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wstrict-prototypes \
	-Wmissing-prototypes -Wno-unused-parameter -fstack-protector-strong \
	-fPIE -pthread -D_GNU_SOURCE -DKTURN_VERSION='"$(VERSION)"' \
	-Iinclude -Iinclude/uapi -Iuser/lib -Iuser/common -Iuser
ifeq ($(findstring -fsanitize,$(CFLAGS)),)
KT_CFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
KT_LDFLAGS := -pie -Wl,-z,relro -Wl,-z,now -pthread

.PHONY: all
all:

# For unit tests: the same sources, stopped at the first bad access.
KT_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
# Of gcc's shared runtimes UBSan's does not know where reports go; clang has others.
KT_SAN_RUNTIME := $(if $(findstring clang,$(shell $(CC) --version)),, \
	-static-libasan -static-libubsan)
KT_SAN_CFLAGS := $(filter-out -D_FORTIFY_SOURCE=%,$(KT_CFLAGS)) $(KT_SANITIZE)

# Unit tests add themselves: test-programs: $(B)/selftests/GROUP/PROGRAM
.PHONY: test-programs
test-programs:

# Each directory installs its own parts: install: install-PART
.PHONY: install
install:

# Each directory says in build.mk what it builds; see there.
include $(wildcard include/kturn/build.mk user/*/build.mk user/*/*/build.mk)
include $(wildcard selftests/build.mk)
include $(wildcard kernel/build.mk Documentation/build.mk selftests/*/build.mk)

all: $(ALL)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KT_CFLAGS) $(CFLAGS) $(CFLAGS_$(*D)) -MMD -MP -c -o $@ $<

$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KT_SAN_CFLAGS) $(CFLAGS) $(CFLAGS_$(*D)) -MMD -MP -c -o $@ $<

# Not in the root file systems of other kernels.
-include $(shell find $(B) -path $(B)/vm -prune -o -name '*.d' -type f -print 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(B)

.PHONY: run
run:
	@selftests/deps build test
	@$(MAKE) --no-print-directory all
	@selftests/demo
