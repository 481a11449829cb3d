# SPDX-License-Identifier: GPL-2.0-or-later
#
# The conformance suite against coturn, which takes half a minute and says
# nothing about kturn: only when asked for.

.PHONY: conformance-coturn
conformance-coturn: test-programs $(B)/kturn
	@selftests/conformance/coturn
