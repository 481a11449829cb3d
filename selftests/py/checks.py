# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients of turnclient.py expect; each fails with an exception."""

from turnmessage import TurnError

# Seconds: long enough for a datagram that will not come to have come.
SILENCE = 0.5


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, expected {want!r}")


def refused(code, request, *arguments, **attributes):
    """The server answers @request with the error @code."""
    try:
        request(*arguments, **attributes)
    except TurnError as error:
        same(error.code, code, str(error))
    else:
        raise AssertionError(f"{request.__name__}{arguments} succeeded, "
                             f"expected {code}")


def silent(*clients):
    """None of them is sent data."""
    for one in clients:
        got = one.recv_data(SILENCE)
        if got is not None:
            raise AssertionError(f"nothing was expected, got {got}")
