#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs every fuzz target for a while, from the committed seeds.
#
#   FUZZ_SECONDS=N   seconds for each target; 10 by default, 300 with FULL=1
#   FUZZ_TARGETS=…   only these, separated by blanks
#   B=DIR            where the tree was built; build/ by default
#
# What it finds and learns goes below $B: the source tree is not written to.
# An input that fails is kept in $B/fuzz/found/, with the command to run it.

set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1

B=${B:-build}
CLANG=${CLANG:-clang}
if [ -n "${FULL:-}" ]; then
	seconds=${FUZZ_SECONDS:-300}
else
	seconds=${FUZZ_SECONDS:-10}
fi
case $seconds in
''|*[!0-9]*|0)
	echo "FUZZ_SECONDS: '$seconds' is not a number of seconds, 1 or more" >&2
	exit 1
	;;
esac

targets=${FUZZ_TARGETS:-}
if [ -z "$targets" ]; then
	for source in selftests/fuzz/*.c; do
		name=${source##*/}
		targets+=" ${name%.c}"
	done
fi
read -ra targets <<<"$targets"

work=$B/fuzz/work
found=$B/fuzz/found
logs=$B/fuzz/logs

echo "TAP version 13"
if ! command -v "$CLANG" >/dev/null; then
	echo "1..0 # SKIP $CLANG is not installed"
	exit 4
fi
echo "1..${#targets[@]}"

mkdir -p "$work" "$found" "$logs"
built=true
if ! make -s B="$B" CLANG="$CLANG" fuzzers >"$logs/make" 2>&1; then
	built=false
	sed 's/^/# /' "$logs/make"
fi

# The number that -print_final_stats=1 gave for $2 in log $1.
stat_of()
{
	sed -n "s/^stat::$2: *\([0-9]*\)$/\1/p" "$1" | tail -n 1
}

# What a failed run's log says about it: what, and the stack.
telling='does not hold|runtime error|ERROR:|SUMMARY:|^ +#[0-9]|^[^ ]*: error'

# Runs target $1; 0 only if it ran at least its seeds and found nothing.
run_target()
{
	local name=$1 log=$logs/$1 seeds=selftests/fuzz/corpus/$1
	local bin=$B/selftests/fuzz/$1 status runs count unit

	if ! $built || [ ! -x "$bin" ]; then
		echo "# $name is not built: does build.mk name it in FUZZERS?"
		return 1
	fi
	count=$(find "$seeds" -type f 2>/dev/null | wc -l)
	if [ "$count" -eq 0 ]; then
		echo "# $name has no seeds in $seeds"
		return 1
	fi

	mkdir -p "$work/$name" "$found/$name"
	"$bin" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$found/$name/" \
		"$work/$name" "$seeds" >"$log" 2>&1
	status=$?
	if [ $status -ne 0 ]; then
		grep -E "$telling" "$log" | head -n 30 | sed 's/^/# /'
		unit=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
		echo "# exit status $status; run it again with: $bin $unit"
		return 1
	fi
	runs=$(stat_of "$log" number_of_executed_units)
	echo "# $name: ${runs:-0} inputs in $seconds s, $count seeds"
	[ "${runs:-0}" -ge "$count" ]
}

failed=0
n=0
for name in "${targets[@]}"; do
	n=$((n + 1))
	if run_target "$name"; then
		echo "ok $n - $name"
	else
		failed=$((failed + 1))
		echo "not ok $n - $name"
	fi
done
echo "# Totals: pass:$((n - failed)) fail:$failed"
[ $failed -eq 0 ]
