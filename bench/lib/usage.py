"""What a set of processes has used, from /proc."""

import contextlib
import os
from pathlib import Path

from .machine import TICKS, busy, cpu_seconds


def _stat(pid):
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


def cpu(pids):
    """User and system seconds, all threads."""
    return sum((int(fields[11]) + int(fields[12])) / TICKS for fields in map(_stat, pids))


def _status(path, name):
    for line in Path(path).read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


def high_water_mib(pids):
    """The largest resident memory of any of them so far: one end of a tunnel."""
    return max((_status(f"/proc/{pid}/status", "VmHWM") / 1024 for pid in pids), default=0.0)


def own_mib(pids):
    """The same now, without pages of files: programs and libraries, which others may share."""
    return max((_status(f"/proc/{pid}/status", "RssAnon") / 1024 for pid in pids), default=0.0)


def resident_bytes(pid):
    return 1024 * _status(f"/proc/{pid}/status", "VmRSS")


def reset_high_water(pids):
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def switches(pids):
    """How often threads have stopped running, of their own accord or not."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError):
                path = f"/proc/{pid}/task/{task}/status"
                total += _status(path, "voluntary_ctxt_switches")
                total += _status(path, "nonvoluntary_ctxt_switches")
    return total


class Meter:
    """CPU seconds of both daemons and of the whole machine, from now on."""

    def __init__(self, daemons):
        self._daemons, self._before, self._machine = daemons, cpu(daemons), cpu_seconds()

    def per_gigabyte(self, size):
        """Figures per 1e9 bytes of payload; None where there are no daemons, or no bytes."""
        daemons = cpu(self._daemons) - self._before
        machine = busy(self._machine, cpu_seconds())
        return {"daemons_s_gb": 1e9 * daemons / size if size and self._daemons else None,
                "machine_s_gb": 1e9 * machine / size if size else None}
