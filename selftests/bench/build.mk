# SPDX-License-Identifier: GPL-2.0-or-later
#
# What relaying costs, in instructions per packet; with NEAR, FAR and REMOTE, how
# many packets per second hardware relays (remote.py). QUICK=1 sends fewer of them,
# ONLY=REGEX measures only what it matches, PARTS only paths, relays, control or
# scaling.

BENCH := $(B)/selftests/bench
BENCH_PROGRAMS := $(addprefix $(BENCH)/,flood loop setup refuse push blast)

# As plain as what they are compared with: no sanitizer.
$(BENCH)/flood: $(BENCH)/flood.o
# It is copied to hosts that may have another libc.
$(BENCH)/blast: $(BENCH)/blast.o
$(BENCH)/blast: BENCH_LIBS := -static
BENCH_CLIENTS := $(addprefix $(BENCH)/,loop setup refuse)
$(BENCH_CLIENTS): %: %.o $(BENCH)/client.o $(BENCH)/meter.o \
	$(WIRE_OBJ)
$(BENCH)/push: $(BENCH)/push.o $(BENCH)/meter.o $(B)/libkturn.a
$(BENCH_CLIENTS): BENCH_LIBS := -lcrypto
$(BENCH)/push: BENCH_LIBS := $(LIBKTURN_LIBS)
$(BENCH_PROGRAMS):
	$(CC) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^ $(BENCH_LIBS)

# e2e/hardware.sh has the one, tests of many allocations the other.
test-programs: $(BENCH)/blast $(BENCH)/setup

.PHONY: bench
bench:
	@selftests/deps build test vm
	@$(MAKE) --no-print-directory all $(BENCH_PROGRAMS)
	@$(if $(NEAR)$(REMOTE),REMOTE='$(REMOTE)' NEAR='$(NEAR)' FAR='$(FAR)' \
		selftests/bench/hardware,QUICK=$(QUICK) PARTS='$(PARTS)' \
		selftests/bench/run)

# Charts of the last run, for the documents; PLOT is where they go.
.PHONY: bench-plot
bench-plot:
	@[ -e $(B)/bench.json ] || $(MAKE) --no-print-directory bench
	@selftests/bench/plot.py $(B)/bench.json $(or $(PLOT),$(B))
