#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Answer a shell test that asks for values in JSON: values.py REQUESTS REPLIES

One process answers all of a script's requests: in a VM Python takes half a second to
start. Both arguments are FIFOs. A request is what print() would be given, of the object
"d", and the JSON, or "@" and the path of a stream socket that says it; a reply is "0"
and the value, or "1" and what is wrong. Each part ends with a NUL. See json_value in
../lib.sh.
"""

import json
import os
import select
import socket
import sys
import traceback


def said(path):
    """What comes from a stream socket until it ends."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(10)
        server.connect(path)
        text = b""
        while more := server.recv(65536):
            text += more
    return text.decode()


def words(*values):
    return " ".join(map(str, values))


def answer(expression, source):
    try:
        text = said(source[1:]) if source.startswith("@") else source
        return "0", eval(f"words({expression})",
                         {"d": json.loads(text), "json": json, "words": words})
    except Exception:
        return "1", f"{expression}: {traceback.format_exc(limit=0).strip()}"


def main(requests, replies):
    # Who waits for the end of what the script has open does not wait for this.
    os.closerange(3, 1024)
    request = os.open(requests, os.O_RDWR)
    reply = os.open(replies, os.O_RDWR)
    readable = select.poll()
    readable.register(request, select.POLLIN)
    parts = b""
    # The script's directory goes when it ends, however it does.
    while os.path.exists(requests):
        if not readable.poll(1000):
            continue
        parts += os.read(request, 65536)
        if parts.count(b"\0") < 2:
            continue
        expression, source, parts = parts.split(b"\0", 2)
        for part in answer(expression.decode(errors="replace"),
                           source.decode(errors="replace")):
            text = part.replace("\0", "\\0").encode(errors="replace")
            os.write(reply, text + b"\0")


if __name__ == "__main__":
    main(*sys.argv[1:])
