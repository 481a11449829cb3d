#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The KUnit tests of kernel/tests: they run when kturn_kunit.ko is loaded,
# which is kturn.ko with them inside, and say in the kernel's log what they
# found. Each becomes one of our results.

. "$(dirname "$0")/../lib.sh"

# flatten: KTAP with subtests in, KTAP without out. That a suite or a test that
# was planned is not there is a failed test, too.
flatten()
{
	awk '
	function result(text) {
		lines[++n] = text
		tests++
	}
	# The plan of the module, and of a suite
	/^1\.\.[0-9]+/ { suites = substr($0, 4) + 0 }
	/^    1\.\.[0-9]+/ { planned = substr($0, 8) + 0; ran = 0 }
	/^    # Subtest: / { suite = $3 }
	/^    (not )?ok [0-9]+ / {
		ran++
		bad = $1 == "not"
		name = $0
		sub(/^ *(not )?ok [0-9]+ (- )?/, "", name)
		result((bad ? "not ok " : "ok ") tests + 1 " - " suite ": " name)
		if (bad)
			failed++
		next
	}
	/^(not )?ok [0-9]+ / {
		seen++
		if (ran != planned || !planned)
			result("not ok " tests + 1 " - " suite ": planned " \
				planned + 0 " tests, ran " ran + 0)
		else if ($1 == "not" && !failed)
			result("not ok " tests + 1 " - " suite)
		ran = planned = failed = 0
		next
	}
	/^ *#/ {
		sub(/^ */, "")
		lines[++n] = $0
	}
	END {
		if (seen != suites || !suites)
			result("not ok " tests + 1 " - planned " suites + 0 \
				" suites, ran " seen + 0)
		print "TAP version 13"
		print "1.." tests
		for (i = 1; i <= n; i++)
			print lines[i]
	}'
}

[ -n "${KTURN_KO:-}" ] || ktap_skip_all "no module can be loaded here"
kunit_ko=${KTURN_KO%/*}/kturn_kunit.ko

# What it depends on is loaded with the module that is not tested here.
# shellcheck disable=SC2119 # its parameters are the module's
module_load
module_unload

marker="kturn kunit test $$"
echo "$marker" >/dev/kmsg
insmod "$kunit_ko" || exit 1
defer rmmod kturn_kunit
dmesg --notime | sed "1,/$marker/d" | flatten | tee "$tmp/results"
fails grep -q '^not ok' "$tmp/results"
