"""The floor: our tunnel without a cipher, beside the same tunnel with one and beside the cable.

What a cipher adds to the null cipher's CPU time, divided by what the AEAD of the same bytes takes
alone (measured in the same round), says how much the cipher costs in its place: 1 would be ideal.
"""

from .. import needs, systems
from ..figures import Bench, Column, ratio
from .inprocess import ciphers, lines
from .throughput import collect_tcp

SEGMENT = 1368  # payload of a TCP segment in an inside packet of 1420 bytes, with timestamps
CASES = ("TCP x1", "TCP x4")


def _aead_s_gb(options):
    """Seconds of sealing and opening a gigabyte of TCP payload, by cipher."""
    chosen = [word for cipher in ciphers(options) for word in ("--cipher", cipher)]
    measured = lines(options, "bench_core", "--rounds", 1, "--batches",
                     20 if options.quick else 1000, *chosen)
    return {line["system"]: line["aead_ns"] / SEGMENT for line in measured
            if line["case"] == "1420 bytes"}


def _compare(cases, costs, add):
    """What needs two systems of one round."""
    for case, found in cases.items():
        floor = found.get("null cipher", {}).get("daemons_s_gb")
        for cipher, cost in costs.items():
            here = found.get(f"libtunnel, {cipher}", {}).get("daemons_s_gb")
            if here is not None and floor is not None:
                add(case, f"libtunnel, {cipher}",
                    {"aead_s_gb": cost, "over_aead": ratio(here - floor, cost)})


def collect(options, add):
    made = [systems.Bare(), systems.Node(options.build, "null"),
            systems.Node(options.build, "null", offload=False)]
    made += [systems.Node(options.build, cipher) for cipher in ciphers(options)]
    one = type(options)(**{**vars(options), "rounds": 1})
    for number in range(options.rounds):
        cases = {}

        def note(case, system, figures):
            cases.setdefault(case, {})[system] = figures
            add(case, system, figures)

        costs = _aead_s_gb(options)
        collect_tcp(one, note, CASES[:1] if options.quick else CASES,
                    made[::-1] if number % 2 else made)
        _compare(cases, costs, add)


BENCH = Bench(
    "plumbing", "The floor: a tunnel without a cipher (never part of the product)", (
        Column("gbit_s", "Gbit/s", 2, "more"), Column("daemons_s_gb", "CPU s/GB, both daemons"),
        Column("aead_s_gb", "AEAD alone, s/GB"),
        Column("over_aead", "added CPU : AEAD alone", 2),
        Column("machine_s_gb", "CPU s/GB, machine"),
        Column("device_batch", "packets per TUN read", 1),
        Column("transport_batch", "packets per UDP read", 1),
        Column("wakeups_mb", "wake-ups per MB", 1), Column("rss_mib", "RSS per end, MiB", 1),
        Column("own_mib", "without files", 1)),
    collect, lambda options: needs.hosts(options, "iperf3"))
