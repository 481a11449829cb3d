// SPDX-License-Identifier: GPL-2.0
/* The tracepoints' own code, made of what trace.h says. */
#include "kturn.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
