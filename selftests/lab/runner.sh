#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# selftests/run: what it counts, on a tree of made-up tests.

. "$(dirname "$0")/../lib.sh"

# program GROUP NAME: a test program, from standard input.
program()
{
	mkdir -p "$tmp/tree/selftests/$1"
	{
		echo "#!/bin/bash"
		cat
	} >"$tmp/tree/selftests/$1/$2.sh"
	chmod 755 "$tmp/tree/selftests/$1/$2.sh"
}

tree()
{
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/selftests"
	cp "$top/selftests/run" "$tmp/tree/selftests/"
}

# expect STATUS LAST-LINE [ARGUMENT...]
expect()
{
	local status=0 want=$1 last=$2

	shift 2
	env -u FULL -u KERNELS -u SANITIZE -u T BUT="${but:-}" "$tmp/tree/selftests/run" "$@" \
		>"$tmp/out" 2>&1 || status=$?
	cat "$tmp/out"
	[ "$(tail -n 1 "$tmp/out")" = "$last" ] ||
		fail "the last line isn't '$last'"
	[ "$status" -eq "$want" ] || fail "exit status $status, not $want"
}

test_pass()
{
	tree
	program a one <<<'echo 1..2; echo "ok 1 - x"; echo "ok 2 - y"'
	program b two <<<'echo 1..2; echo "ok 1 x"; echo "ok 2 y # SKIP no"'
	expect 0 "3 passed, 0 failed, 1 skipped"
	expect 0 "2 passed, 0 failed, 0 skipped" T=a
	grep -q "^# group a: .* [0-9]* s$" "$tmp/out"
	program c three <<<'echo 1..1; echo "ok 1 z"'
	expect 0 "3 passed, 0 failed, 0 skipped" T="c a"
	but="b c" expect 0 "2 passed, 0 failed, 0 skipped"
	# One that wants to be alone comes after the others, one that takes long
	# before them.
	echo "alone=y" >"$tmp/tree/selftests/a/settings"
	echo "long=y" >"$tmp/tree/selftests/c/settings"
	JOBS=1 expect 0 "4 passed, 0 failed, 1 skipped"
	[ "$(sed -n 's/^# begin //p' "$tmp/out" | xargs)" = \
		"selftests/c/three.sh selftests/b/two.sh selftests/a/one.sh" ]
}

test_skip_all()
{
	tree
	program a one <<<'echo "1..0 # SKIP no tools"; exit 4'
	expect 0 "0 passed, 0 failed, 1 skipped"
}

test_fail()
{
	tree
	program a one <<<'echo 1..2; echo "ok 1 x"; echo "not ok 2 y"; exit 1'
	program a two <<<'echo 1..1; echo "not ok 1 z"; exit 0'
	expect 1 "1 passed, 2 failed, 0 skipped"
	grep -q "a: selftests/a/one.sh: not ok 2 y" "$tmp/out"
}

test_dies()
{
	tree
	# shellcheck disable=SC2016 # expanded in the program
	program a one <<<'echo 1..1; echo "ok 1 x"; kill -SEGV $$'
	expect 1 "1 passed, 1 failed, 0 skipped"
	program a one <<<'echo 1..1; echo "ok 1 x"; exit 1'
	expect 1 "1 passed, 1 failed, 0 skipped"
	program a one <<<'exit 0'
	expect 1 "0 passed, 1 failed, 0 skipped"
}

test_plan()
{
	tree
	program a one <<<'echo 1..3; echo "ok 1 x"'
	expect 1 "1 passed, 1 failed, 0 skipped"
	program a one <<<'echo 1..1; echo "ok 1 x"; echo "ok 2 y"'
	expect 1 "2 passed, 1 failed, 0 skipped"
	program a one <<<'echo "ok 1 x"'
	expect 1 "1 passed, 1 failed, 0 skipped"
	program a one <<<'echo 1..2; echo "ok 1 x"; echo "ok 1 x"'
	expect 1 "2 passed, 1 failed, 0 skipped"
	program a one <<<'echo 1..0'
	expect 1 "0 passed, 1 failed, 0 skipped"
}

test_nothing()
{
	tree
	expect 1 "0 passed, 1 failed, 0 skipped"
	expect 2 "selftests/run: no group 'x', expected one of: " T=x
	but=y expect 2 "selftests/run: BUT: no group 'y'"
}

test_timeout()
{
	tree
	program a one <<<'echo 1..1; echo "ok 1 x"; sleep 1000'
	echo timeout=1 >"$tmp/tree/selftests/a/settings"
	expect 1 "1 passed, 1 failed, 0 skipped"
}

test_missing_program()
{
	tree
	mkdir "$tmp/tree/selftests/a"
	echo selftests/a/none >"$tmp/tree/selftests/a/programs"
	expect 1 "0 passed, 2 failed, 0 skipped"
	grep -q "a: build/selftests/a/none: exit status 127" "$tmp/out"
}

# A VM that goes down takes the rest of the group's tests with it.
test_vm_dies()
{
	tree
	# shellcheck disable=SC2016 # expanded in the program
	program a one <<<'echo 1..2; echo "ok 1 x"
		kill -KILL $(cat "$0.vm") $PPID'
	program a two <<<'echo 1..1; echo "ok 1 x"'
	echo "--smp 1" >"$tmp/tree/selftests/a/vm"
	machine <<-'END'
	echo "$*" >"${0%/*}/arguments"
	while [ "$1" != -- ]; do shift; done
	shift
	"$@" &
	echo $! >"${0%/*}/../a/one.sh.vm"
	wait $!
	exit 99
	END
	expect 1 "1 passed, 3 failed, 0 skipped"
	grep -q "a (6.1): selftests/a/one.sh: did not end" "$tmp/out"
	grep -q "a (6.1): selftests/a/two.sh: did not run" "$tmp/out"
	grep -q "a (6.1): the exit status is 99" "$tmp/out"
	grep -q -- "--kernel 6.1 .*--smp 1 -- " \
		"$tmp/tree/selftests/vm/arguments"
}

# machine: what stands in for a VM; "--" comes before the command.
machine()
{
	mkdir "$tmp/tree/selftests/vm"
	{
		echo "#!/bin/bash"
		cat
	} >"$tmp/tree/selftests/vm/run"
	chmod 755 "$tmp/tree/selftests/vm/run"
}

# Each of two waits until the other has begun; one that measures, for nobody.
test_vms_at_once()
{
	local group

	tree
	for group in a b; do
		# shellcheck disable=SC2016 # expanded in the program
		program "$group" one <<<'echo 1..1; d=${0%/*}; touch "$d/began"
			for i in {1..100}; do
				[ ! -e "$d/../a/began" ] || [ ! -e "$d/../b/began" ] ||
					{ echo "ok 1 x"; exit 0; }
				read -rt 0.1 <> <(:)
			done'
		echo "--smp 1" >"$tmp/tree/selftests/$group/vm"
	done
	program c one <<<'echo 1..1; echo "ok 1 x"'
	echo "--smp 1" >"$tmp/tree/selftests/c/vm"
	echo "alone=y" >"$tmp/tree/selftests/c/settings"
	echo "debug" >"$tmp/tree/selftests/c/kernels"
	machine <<-'END'
	while [ "$1" != -- ]; do shift; done
	shift
	exec "$@"
	END
	JOBS=2 expect 0 "2 passed, 0 failed, 0 skipped"
	grep -q "^# group b (6.1): 1 passed" "$tmp/out"
	fails grep -q "group c" "$tmp/out"
	rm "$tmp"/tree/selftests/[ab]/began
	JOBS=1 expect 1 "1 passed, 2 failed, 0 skipped" T=in-vm
}

# A process that a test leaves behind must not hold up the run.
test_leftover()
{
	local pid

	tree
	# shellcheck disable=SC2016 # expanded in the program
	program a one <<<'echo 1..1; echo "ok 1 x"
		setsid sleep 1000 & echo $! >"$0.pid"'
	expect 0 "1 passed, 0 failed, 0 skipped"
	read -r pid <"$tmp/tree/selftests/a/one.sh.pid"
	kill "$pid"
}

ktap_plan 11
run_test "runner: passes and skips" test_pass
run_test "runner: a program that skips all" test_skip_all
run_test "runner: failed tests" test_fail
run_test "runner: programs that die" test_dies
run_test "runner: plans that don't hold" test_plan
run_test "runner: no tests at all" test_nothing
run_test "runner: a program that takes too long" test_timeout
run_test "runner: a program that isn't built" test_missing_program
run_test "runner: a VM that dies" test_vm_dies
run_test "runner: VMs at the same time" test_vms_at_once
run_test "runner: a process that stays" test_leftover
ktap_finish
