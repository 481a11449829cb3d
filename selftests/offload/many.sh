#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With the module, the test of many allocations.

exec "$(dirname "$0")/../kturnd/many.sh"
