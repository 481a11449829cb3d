#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The sources against the house style: one test per tool. What a tool says and
# we don't follow is in its file in this directory, with the reason.

. "$(dirname "$0")/../lib.sh"

cd "$top" || exit
style=$top/selftests/style
linux=build/linux-source-6.12

# Every file of the project, the new ones included.
list_sources()
{
	if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$top" ls-files -co --exclude-standard
	else
		find . -path ./build -prune -o -type f -printf '%P\n'
	fi | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done | sort
}

# select_sources PATTERN...: those that match a shell pattern.
select_sources()
{
	local file pattern

	while read -r file; do
		for pattern; do
			# shellcheck disable=SC2053 # a pattern is meant
			[[ $file == $pattern ]] || continue
			echo "$file"
			break
		done
	done <"$tmp/sources"
}

# is_script FILE NAME...: does it run under one of these interpreters?
is_script()
{
	local file=$1 name

	for name in "${@:2}"; do
		head -n 1 "$file" | grep -qE "^#!.*[/ ]$name( |\$)" && return
		head -n 5 "$file" | grep -q "shellcheck shell=$name\$" && return
	done
	return 1
}

# is_accepted FILE TYPE MESSAGE: does checkpatch.rules list that? Which of its
# rules were of use is in $tmp/used.
is_accepted()
{
	local files type

	while read -r files type _; do
		# shellcheck disable=SC2053 # patterns are meant
		[[ $1 == $files ]] || continue
		# shellcheck disable=SC2053
		case $type in
		*:*) [[ $2 == "${type%%:*}" && $3 == *${type#*:} ]] || continue ;;
		*) [[ $2 == $type ]] || continue ;;
		esac
		echo "$files $type" >>"$tmp/used"
		return
	done <"$tmp/rules"
	return 1
}

test_checkpatch()
{
	local file files line level type message bad=

	sed '/^#/d;/^$/d' "$style/checkpatch.rules" >"$tmp/rules"
	: >"$tmp/used"
	# checkpatch leaves a cache in a git checkout, so it doesn't get to see
	# that this is one. What it says depends on the names of directories.
	select_sources '*.c' '*.h' >"$tmp/files"
	mkdir "$tmp/tree"
	ln -s "$top"/{include,kernel,selftests,user} "$tmp/tree"
	cd "$tmp/tree"
	xargs "$top/$linux/scripts/checkpatch.pl" --no-tree --root=. \
		--strict --terse \
		--show-types --no-summary --color=never --quiet --file \
		<"$tmp/files" >"$tmp/said" || true
	while IFS=: read -r file line level type message; do
		is_accepted "$file" "$type" "$message" && continue
		echo "$file:$line: $level: $type:$message"
		bad=y
	done <"$tmp/said"
	while read -r files type _; do
		grep -qxF -- "$files $type" "$tmp/used" && continue
		echo "checkpatch.rules: nothing needs $files $type"
		bad=y
	done <"$tmp/rules"
	[ -z "$bad" ]
}

# The module says what a function does where it is defined, userspace and the
# code that both share where it is declared.
test_kernel_doc()
{
	select_sources 'kernel/*.[ch]' 'include/kturn/*' 'user/*.[ch]' |
		grep -v '_gen\.[ch]$' |
		xargs "$linux/scripts/kernel-doc" -none -Werror
	select_sources 'include/kturn/*.h' 'user/*.h' |
		xargs awk -f "$style/undocumented.awk"
}

# The document lists what the sources hand to the kernel, and nothing else.
test_entry_points()
{
	awk -f selftests/style/entry_points.awk kernel/*.c | sort -u \
		>"$tmp/entries"
	[ -s "$tmp/entries" ]
	# shellcheck disable=SC2016 # how the document marks functions
	grep -o '``kturn_[a-z0-9_]*()``' \
		Documentation/networking/entry-points.rst | tr -d '`()' |
		sort -u | diff "$tmp/entries" -
}

test_sparse_module()
{
	local kdir

	kdir=$(selftests/vm/kernel 6.1 KDIR)
	make -s modules KDIR="$kdir"
	make -s modules_sparse KDIR="$kdir" 2>&1 |
		sed -n "s,$top/build/modules/[^/]*/src/,,p" |
		tee "$tmp/said"
	[ ! -s "$tmp/said" ]
}

test_sparse_user()
{
	sed '/^#/d;/^$/d' "$style/sparse.rules" >"$tmp/rules"
	make -sk user_sparse 2>&1 | grep -vE -f "$tmp/rules" | tee "$tmp/said" ||
		true
	[ ! -s "$tmp/said" ]
}

test_shellcheck()
{
	local file

	while read -r file; do
		is_script "$file" sh bash && echo "$file"
	done <"$tmp/sources" >"$tmp/files"
	xargs shellcheck --format=gcc <"$tmp/files"
}

test_codespell()
{
	grep -vE '^LICENSES/|/corpus/' "$tmp/sources" |
		xargs codespell --ignore-words "$style/codespell.words"
}

test_yamllint()
{
	select_sources '*.yaml' '*.yml' | xargs yamllint --strict \
		--config-file "$style/yamllint.yaml"
}

# Lists of words have nothing that could be licensed.
unlicensed='^(LICENSES/.*|\.gitignore|MAINTAINERS|.*/corpus/.*|.*\.(md|json)'
unlicensed+='|selftests/[^/]*/(programs|settings|vm|kernels|codespell\.words))$'

# The licence that a file has to name.
licence_of()
{
	case $1 in
	kernel/netlink_gen.* | include/uapi/* | Documentation/netlink/specs/*)
		echo "((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)" ;;
	kernel/*.[ch]) echo "GPL-2.0" ;;
	include/kturn/*.[ch]) echo "GPL-2.0 OR BSD-3-Clause" ;;
	user/lib/build.mk) echo "GPL-2.0-or-later" ;;
	user/lib/*) echo "LGPL-2.1-or-later" ;;
	selftests/*/*.c) echo "GPL-2.0-or-later|GPL-2.0" ;;
	*) echo "GPL-2.0-or-later" ;;
	esac
}

test_spdx()
{
	local file found want bad=

	while read -r file; do
		found=$(head -n 3 "$file" | tr -d '\0' |
			sed -n 's/.*SPDX-License-Identifier: //p' |
			sed 's, *\*/$,,')
		want=$(licence_of "$file")
		[[ -n $found && "|$want|" == *"|$found|"* ]] && continue
		echo "$file: licence is '$found', expected $want"
		bad=y
	done < <(grep -vE "$unlicensed" "$tmp/sources")
	[ -z "$bad" ]
}

# A test waits for a condition, not for a time; and set -e, which makes a test
# fail, takes no notice of "! command". Minutes of sleep are processes that a
# test keeps for some purpose.
test_tests()
{
	local bad=0

	select_sources 'selftests/*/*.sh' >"$tmp/files"
	xargs grep -nE '\bsleep +("?\$|[0-9]{0,2}\.|[0-9]{1,2}\b)' \
		<"$tmp/files" && bad=1
	# A line that goes on from the one before is part of a condition.
	# shellcheck disable=SC2016 # awk's fields
	xargs awk '/^[ \t]*! / && before !~ /(\|\||&&|\\)$/ {
			print FILENAME ":" FNR ": " $0
			found = 1
		}
		{ before = $0 }
		END { exit found }' <"$tmp/files" || bad=1
	return "$bad"
}

for tool in shellcheck codespell yamllint sparse perl; do
	command -v $tool >/dev/null ||
		ktap_skip_all "no $tool; try: selftests/deps style"
done
list_sources >"$tmp/sources"
make -s linux_source || exit

# The list of promises names tests that there are, and all of those in VMs.
test_testing()
{
	local name group list=$tmp/testing

	sed -nE 's,.* ([a-z0-9]+/[a-z0-9_]+)$,\1,p' \
		Documentation/networking/testing.rst | sort -u >"$list"
	[ "$(wc -l <"$list")" -gt 20 ]
	while read -r name; do
		[ -e "selftests/$name.sh" ] || [ -e "selftests/$name.c" ] ||
			fail "testing.rst: there is no $name"
	done <"$list"
	for group in selftests/*/vm; do
		[ -f "$group" ] || continue
		for name in "${group%/vm}"/*.sh; do
			[ -x "$name" ] || continue
			name=${name#selftests/}
			grep -qx "${name%.sh}" "$list" ||
				fail "testing.rst does not say what ${name%.sh} is for"
		done
	done
}

ktap_plan 11
run_test "style: checkpatch" test_checkpatch
run_test "style: kernel-doc" test_kernel_doc
run_test "style: where the kernel enters the module" test_entry_points
run_test "style: sparse, module" test_sparse_module
run_test "style: sparse, userspace" test_sparse_user
run_test "style: shellcheck" test_shellcheck
run_test "style: codespell" test_codespell
run_test "style: yamllint" test_yamllint
run_test "style: licences" test_spdx
run_test "style: tests don't sleep, and can fail" test_tests
run_test "style: what shows which promise" test_testing
ktap_finish
