#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The conformance suite leaves no sentence of the RFCs out. With RFC_DIR, where
# their texts are (rfc8489.txt and rfc8656.txt), it is seen to that the list of
# sentences is theirs.

here=$(dirname "$0")
# shellcheck disable=SC2086 # no argument where there is no directory
exec python3 -B "$here/requirements.py" \
	${RFC_DIR:+"$RFC_DIR/rfc8489.txt" "$RFC_DIR/rfc8656.txt"}
