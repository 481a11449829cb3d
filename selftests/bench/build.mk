# SPDX-License-Identifier: GPL-2.0-or-later
#
# What relaying costs, in instructions per packet. QUICK=1 sends fewer of them.

BENCH_FLOOD := $(B)/selftests/bench/flood

# As plain as what it is compared with: no sanitizer.
$(BENCH_FLOOD): $(B)/selftests/bench/flood.o
	$(CC) $(CFLAGS) $(KT_LDFLAGS) -o $@ $^

.PHONY: bench
bench:
	@selftests/deps build test vm
	@$(MAKE) --no-print-directory all $(BENCH_FLOOD)
	@QUICK=$(QUICK) selftests/bench/run
