#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The names in libkturn's tables are those of the netlink spec; the library
# exports nothing but its interface.

. "$(dirname "$0")/../lib.sh"

spec_names()
{
	/usr/bin/python3 - "$top/Documentation/netlink/specs/kturn.yaml" <<-'END'
	import sys, yaml
	spec = yaml.safe_load(open(sys.argv[1]))
	operations = spec["operations"]["list"]
	sets = {op["name"]: op.get("attribute-set") for op in operations}
	for i, op in enumerate(operations, 1):
	    print("operation", i, sets[op.get("notify", op["name"])])
	for attr_set in spec["attribute-sets"]:
	    for i, attr in enumerate(attr_set["attributes"], 1):
	        print(attr_set["name"], i, attr["name"],
	              attr.get("nested-attributes", "-"))
	for enum in spec["definitions"]:
	    if enum["name"].endswith("-reason"):
	        for i, entry in enumerate(enum["entries"]):
	            print(enum["name"], i, entry["name"])
	END
}

test_names()
{
	spec_names | sort >"$tmp/spec"
	"$top/build/selftests/lib/lib_test" --names | sort >"$tmp/library"
	[ "$(wc -l <"$tmp/spec")" -gt 100 ]
	diff "$tmp/spec" "$tmp/library"
}

functions()
{
	grep -oE '\<kturn_[a-z0-9_]+\(' | tr -d '(' | sort -u
}

# What the headers declare is what the shared library exports.
test_exports()
{
	nm -D --defined-only "$top/build/libkturn.so.0" |
		awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
		sort >"$tmp/exported"
	cat "$top/user/lib/kturn.h" "$top/include/kturn/wire.h" >"$tmp/headers"
	grep 'static inline' "$tmp/headers" | functions >"$tmp/inline"
	functions <"$tmp/headers" | grep -vxFf "$tmp/inline" >"$tmp/declared"
	diff "$tmp/declared" "$tmp/exported"
	readelf -d "$top/build/libkturn.so.0" |
		grep -q 'SONAME.*\[libkturn.so.0\]'
}

# A program of somebody else's, built against what was installed.
test_pkg_config()
{
	make -s -C "$top" install-libkturn DESTDIR="$tmp/root" prefix=/usr
	cat >"$tmp/program.c" <<-'END'
	#include <kturn.h>
	#include <stdio.h>
	int main(void)
	{
		struct kturn_addr addr;
		char buf[KTURN_ADDR_TEXT_MAX];
		if (kturn_addr_parse("[2001:db8::1]:3478", &addr))
			return 1;
		puts(kturn_addr_text(&addr, buf));
		return 0;
	}
	END
	export PKG_CONFIG_SYSROOT_DIR=$tmp/root
	export PKG_CONFIG_PATH=$tmp/root/usr/lib/pkgconfig
	# The library needs the runtime that it was made for, of a sanitizer say.
	# shellcheck disable=SC2046,SC2086 # options
	"${CC:-gcc}" -Wall -Werror ${CFLAGS:-} -o "$tmp/program" "$tmp/program.c" \
		$(pkg-config --cflags --libs libkturn)
	LD_LIBRARY_PATH=$tmp/root/usr/lib "$tmp/program" >"$tmp/output"
	grep -qxF '[2001:db8::1]:3478' "$tmp/output"
}

ktap_plan 3
run_test "the names are those of the spec" test_names
run_test "the exports are those of the header" test_exports
run_test "a program builds with pkg-config" test_pkg_config
ktap_finish
