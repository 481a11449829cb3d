# SPDX-License-Identifier: GPL-2.0-or-later
#
# Functions in headers that no kernel-doc stands before. Functions without an
# empty line between them share what stands before the first: it says so.

FNR == 1 { documented = comment = 0 }

/^\/\*/ { comment = 1; kernel_doc = /^\/\*\*/ }
comment {
	if (/\*\/$/) {
		comment = 0
		documented = kernel_doc
	}
	next
}

/^$/ { documented = 0 }

/^[a-z].*[a-z0-9_]\(/ && !/^(typedef|struct [a-z0-9_]+ \{)/ && !documented {
	print FILENAME ":" FNR ": " $0
	bad = 1
}

END { exit bad }
