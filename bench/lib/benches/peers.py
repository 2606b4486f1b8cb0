"""Thousands of peers over the control socket: how long it takes, and what each of them weighs.

Peers without an endpoint, as a gateway has them before they call: nothing is sent to anybody.
"""

import os
import socket
import time

from .. import needs, systems, usage
from ..figures import Bench, Column, turns
from ..stage import Stage


def _request(count):
    """The words of the WireGuard control protocol for that many new peers."""
    lines = ["set=1", f"private_key={os.urandom(32).hex()}"]
    for number in range(1, count + 1):
        lines += [f"public_key={os.urandom(32).hex()}",
                  f"allowed_ip=10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"]
    return ("\n".join(lines) + "\n\n").encode()


def _set(path, request):
    """Seconds until the answer is there."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(120)
        control.connect(path)
        before = time.monotonic()
        control.sendall(request)
        answer = b""
        while not answer.endswith(b"\n\n"):
            piece = control.recv(4096)
            assert piece, f"the control socket closed: {answer}"
            answer += piece
        took = time.monotonic() - before
    assert answer == b"errno=0\n\n", answer
    return took


def _measure(stage, system, request, count):
    process = system.launch(stage, 0)
    try:
        stage.interface(0, systems.INTERFACE)
        pid, host = process.program(), stage.hosts[0]
        before = usage.resident_bytes(pid)
        took = _set(f"/proc/{host.pid}/root/run/wireguard/{systems.INTERFACE}.sock", request)
        return {"seconds": took, "bytes_peer": (usage.resident_bytes(pid) - before) / count}
    finally:
        process.terminate()
        process.wait(timeout=30)


def collect(options, add):
    count = 200 if options.quick else 10_000
    request = _request(count)
    under_test = [system for system in systems.usual(options, bare=False)
                  if isinstance(system, systems.WireGuard)]
    with Stage() as stage:
        for _, system in turns(under_test, options.rounds):
            add(f"{count:,} peers", system.name, _measure(stage, system, request, count))


BENCH = Bench(
    "peers", "Peers over the control socket", (
        Column("seconds", "seconds for all", 3), Column("bytes_peer", "RSS bytes per peer", 0)),
    collect, needs.hosts, scale="log")
