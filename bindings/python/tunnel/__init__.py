"""libtunnel for Python: a WireGuard tunnel without I/O.

A core turns inside packets (IP) into datagrams and back. It owns no socket, thread or clock: you
hand in packets and the time, and get verdicts, packets to send and a deadline.
"""

import enum
import time
from typing import NamedTuple

from tunnel import _native
from tunnel._errors import (ArgumentError, Closed, Exists, InvalidKey, LimitReached, NotFound,
                            TunnelError)
from tunnel._native import (Core, Counters, Event, Packet, PacketBuffer, PeerInfo, PresharedKey,
                            PrivateKey, PublicKey, status_hint, status_text)

__all__ = [
    "ArgumentError", "Closed", "Core", "Counters", "Event", "EventKind", "Exists", "InvalidKey",
    "LimitReached", "NotFound", "Packet", "PacketBuffer", "PeerInfo", "PresharedKey", "PrivateKey",
    "PublicKey", "Time", "TunnelError", "Verdict", "__version__", "status_hint", "status_text",
]

__version__ = _native.version

# Numbers of the C headers. A newer library may use more of them: they arrive as plain integers.
Verdict = enum.IntEnum("Verdict", _native.verdicts)
EventKind = enum.IntEnum("EventKind", _native.event_kinds)


class Time(NamedTuple):
    """The time, as an argument of every call that depends on it."""

    mono_ns: int  # monotonic and counting sleep: timers
    wall_ns: int  # since 1970 UTC: the handshake timestamp only

    @classmethod
    def now(cls) -> "Time":
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return cls(time.clock_gettime_ns(clock), time.time_ns())
