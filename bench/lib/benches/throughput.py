"""TCP by iperf3, and single datagrams, through every system in turn."""

import sys

from .. import needs, systems, traffic, usage
from ..figures import Bench, Column, turns
from ..stage import Stage

_TCP = {"TCP x1": (), "TCP x4": ("-P", "4"), "TCP x32": ("-P", "32"),
        "TCP x1, server sends": ("-R",), "TCP x1, both ways": ("--bidir",)}
_UDP = {"UDP, 1300 bytes": 1300, "UDP, 64 bytes": 64}


def _say(number, system, case, figures):
    main = next(iter(figures.items()))
    print(f"  round {number + 1}: {system.name:22} {case:22} {main[1]:10.2f} {main[0]}",
          file=sys.stderr)


def collect_tcp(options, add, cases=None, under_test=None):
    """Also for plumbing, with other systems."""
    with Stage(options) as stage:
        for number, system in turns(under_test or systems.usual(options), options.rounds):
            with system.running(stage), traffic.iperf_server(stage):
                for case in cases or (list(_TCP)[:1] if options.quick else _TCP):
                    figures = traffic.tcp(stage, system, options.seconds, *_TCP[case])
                    add(case, system.name, figures)
                    _say(number, system, case, figures)


def _datagrams(options, stage, system, size):
    """The flood first: nobody offers much more than it does. What it delivers is no bound, because
    whoever floods takes the time that the daemons need.

    A step lasts long enough for buffers to matter little: 4 MiB hold about 1,800 datagrams."""
    probe = options.build / "bin/bench_probe"

    def flood(rate, seconds):
        return traffic.flood(stage, probe, system, size, rate, seconds)

    step = 0.1 if options.quick else max(1, options.seconds / 4)
    meter = usage.Meter(system.ends())
    full = flood(0, step)
    cost = meter.per_gigabyte(full["received"] * size)
    search = traffic.Search(lambda rate: flood(rate, step), steps=2 if options.quick else 8)
    best = search.run(1.5 * full["offered"])
    return {"kpps": best / 1e3, "flood_kpps": full["delivered"] / 1e3,
            "flood_loss": 100 * full["loss"], "flood_s_gb": cost["daemons_s_gb"]}


def collect_udp(options, add):
    with Stage(options) as stage:
        for number, system in turns(systems.some(options), options.rounds):
            with system.running(stage), traffic.partner(stage, options.build / "bin/bench_probe"):
                for case in list(_UDP)[:1] if options.quick else _UDP:
                    figures = _datagrams(options, stage, system, _UDP[case])
                    add(case, system.name, figures)
                    _say(number, system, case, figures)


def _collect_wire(options, add):
    collect_tcp(options, add, ("TCP x1",) if options.quick else ("TCP x1", "TCP x4"),
                systems.some(options))


def _needs_iperf(options):
    return needs.hosts(options, "iperf3")


_COLUMNS = (Column("gbit_s", "Gbit/s", 2, "more"),
            Column("daemons_s_gb", "CPU s/GB, both daemons"),
            Column("machine_s_gb", "CPU s/GB, machine"), Column("retransmits", "retransmits", 0),
            Column("rss_mib", "RSS per end, MiB", 1), Column("own_mib", "without files", 1))

TCP = Bench("throughput", "TCP through a tunnel, both ends and iperf3 on the same cores",
            _COLUMNS, collect_tcp, _needs_iperf)
WIRE = Bench("wire", "TCP through a tunnel over a cable without offloads", _COLUMNS,
             _collect_wire, _needs_iperf, cable="wire")
UDP = Bench(
    "udp", "Single datagrams through a tunnel: the highest rate with at most 0.1 % lost", (
        Column("kpps", "kpps, ≤ 0.1 % lost", 1, "more"),
        Column("flood_kpps", "kpps delivered of a flood", 1, "more"),
        Column("flood_loss", "lost of it, %", 1),
        Column("flood_s_gb", "CPU s/GB, both daemons", 1)),
    collect_udp, needs.hosts)
