"""Where and with what was measured: figures without this say nothing."""

import os
import platform
import shlex
import subprocess
import time
from pathlib import Path

from . import ROOT

TICKS = os.sysconf("SC_CLK_TCK")
_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip().split("\n")[0]


def _package(name):
    return _first_line("dpkg-query", "-W", "-f", "${Version}", name) or "not a package"


def about():
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    flags = next((set(line.split(":")[1].split()) for line in info if line.startswith("flags")),
                 set())
    wide = [flag for flag in ("avx2", "avx512f", "avx512ifma", "vaes", "hypervisor")
            if flag in flags]
    return {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(),
            "flags": wide, "kernel": platform.release(),
            "tcp": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text("ascii").strip(),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def versions(peers=()):
    """Of everything that was compared. `peers`: NAME=COMMAND, which are asked themselves."""
    commit = _first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    return {"libtunnel": commit, "wireguard-go": _package("wireguard-go"),
            "openvpn": _package("openvpn"), "iperf3": _first_line("iperf3", "--version"),
            "libsodium": _package("libsodium23"), **dict(map(_peer, peers))}


def _peer(text):
    name, _, command = text.partition("=")
    return name, _first_line(shlex.split(command)[0], "--version") or "unknown"


def cpu_seconds():
    """Seconds of all cores since boot, by what they did."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    return {name: int(value) / TICKS for name, value in zip(_FIELDS, fields)}


def busy(before, after):
    """Seconds that all cores were busy between two answers of cpu_seconds(), interrupts included,
    and those that the hypervisor gave to others."""
    return sum(after[name] - before[name] for name in _FIELDS if name not in ("idle", "iowait"))


def _background(seconds):
    """How busy the machine is while we do nothing, in percent of all cores."""
    before = cpu_seconds()
    time.sleep(seconds)
    after = cpu_seconds()
    return 100 * busy(before, after) / (sum(after.values()) - sum(before.values()) or 1)


class Load:
    """What else went on, from now on: how busy the machine is just before and just after a bench,
    and the share of time that was stolen meanwhile."""

    def __init__(self, pause):
        self._pause, self._before, self._cpu = pause, _background(pause), cpu_seconds()

    def summary(self):
        spent = {name: value - self._cpu[name] for name, value in cpu_seconds().items()}
        total = sum(spent.values()) or 1
        return {"background_before": round(self._before, 1),
                "background_after": round(_background(self._pause), 1),
                "steal_percent": round(100 * spent["steal"] / total, 2)}
