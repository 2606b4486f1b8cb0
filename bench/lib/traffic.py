"""Load through a tunnel: TCP by iperf3, single datagrams by bench_probe (bench/probe.cpp)."""

import contextlib
import json
import os
import subprocess
import sys

from netns import wait_until

from . import usage
from .figures import ratio

PROBE_PORT = 7000
_TRIES = 3


def _listens(stage, protocol, port):
    return stage.hosts[1].run("ss", "-Hln" + protocol, f"sport = {port}").stdout


@contextlib.contextmanager
def _program(process, ready, what):
    """A server that is there until the end of the block."""
    try:
        wait_until(ready, what=what)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        process.wait(timeout=10)


def iperf_server(stage):
    process = stage.popen(1, "iperf3", "-s", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return _program(process, lambda: _listens(stage, "t", 5201), "iperf3 listens")


def partner(stage, probe):
    process = stage.popen(1, probe, "partner", PROBE_PORT, stderr=subprocess.DEVNULL)
    return _program(process, lambda: _listens(stage, "u", PROBE_PORT), "bench_probe listens")


def _received(end):
    """Bytes that arrived, in both directions where there are two, and what it took to send them."""
    ways = [way for way in ("", "_bidir_reverse") if f"sum_received{way}" in end]
    sums = [(end[f"sum_received{way}"], end[f"sum_sent{way}"]) for way in ways]
    return (sum(got["bytes"] for got, _ in sums), max(got["seconds"] for got, _ in sums),
            sum(sent.get("retransmits", 0) for _, sent in sums))


def tcp(stage, system, seconds, *arguments):
    """Figures of one iperf3 run. The high-water mark of the memory is that of this run. iperf3 that
    ends without a result (its server was still busy with the last test, a control connection
    timed out) is started again; what it said is printed."""
    for _ in range(_TRIES):
        ends = system.ends()
        usage.reset_high_water(ends)
        counters, meter = system.counters(), usage.Meter(ends)
        done = stage.run(0, "iperf3", "-c", system.target, "-t", seconds, "-J", *arguments,
                         timeout=seconds + 60, check=False)
        answer = json.loads(done.stdout)
        if "sum_received" in answer["end"]:
            size, took, retransmits = _received(answer["end"])
            return {"gbit_s": 8e-9 * size / took, **meter.per_gigabyte(size),
                    "retransmits": retransmits,
                    "rss_mib": usage.high_water_mib(ends) if ends else None,
                    "own_mib": usage.own_mib(ends) if ends else None,
                    **_batches(counters, system.counters(), size)}
        print(f"  {system.name}: iperf3: {answer.get('error', 'no result')}", file=sys.stderr)
    raise AssertionError(f"{system.name}: iperf3 {arguments} gives no result")


def _batches(before, after, size):
    """How many packets a read brings, and how often the engines wake, where they tell."""
    if not after:
        return {}
    spent = {name: value - before[name] for name, value in after.items()}
    return {"device_batch": ratio(spent["device_packets_in"], spent["device_reads"]),
            "transport_batch": ratio(spent["transport_packets_in"], spent["transport_reads"]),
            "wakeups_mb": ratio(spent["wakeups"], size / 1e6)}


def _probe(stage, probe, *arguments, timeout=120):
    return json.loads(stage.run(0, probe, *arguments, timeout=timeout).stdout)


def round_trips(stage, probe, system, count, interval_us):
    return _probe(stage, probe, "rtt", system.target, PROBE_PORT, count, interval_us, 64)


def flood(stage, probe, system, size, rate, seconds):
    """Datagrams of `size` bytes of UDP payload, `rate` a second; 0 = as fast as they go."""
    answer = _probe(stage, probe, "flood", system.target, PROBE_PORT, size, int(rate),
                    int(1000 * seconds))
    sent, received = answer["sent"], answer["received"]
    return {"offered": sent / answer["seconds"], "delivered": received / answer["seconds"],
            "received": received, "loss": 1 - received / sent if sent else 1.0}


class Search:
    """The highest offered rate with at most `loss` lost, by bisection; the same for every system.

    A step passes when one of two tries does: on a machine with other guests a single pause loses
    datagrams that no tunnel could have kept. A rate that could not be offered at all (less than
    97 %) does not pass."""

    def __init__(self, attempt, loss=0.001, steps=8):
        self._attempt, self._loss, self._steps = attempt, loss, steps

    def _passes(self, rate):
        for _ in range(2):
            answer = self._attempt(rate)
            if answer["loss"] <= self._loss and answer["offered"] >= 0.97 * rate:
                return True
        return False

    def run(self, ceiling):
        """In steps of equal ratio between 1/64 of the ceiling and the ceiling: 8 steps find the
        rate to 2 %. 0 when even the lowest rate loses too much."""
        low, high = ceiling / 64, ceiling
        best = 0.0
        for _ in range(self._steps):
            middle = (low * high) ** 0.5
            if self._passes(middle):
                best = low = middle
            else:
                high = middle
        return best


def bulk(stage, system, seconds):
    """A TCP stream in the background, for whoever measures beside it."""
    return stage.popen(0, "iperf3", "-c", system.target, "-t", seconds,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "LC_ALL": "C"})
