"""Round trips of small UDP datagrams, idle and beside a TCP stream; what a tunnel adds to them."""

from .. import needs, systems, traffic
from ..figures import Bench, Column, turns
from ..stage import Stage

_FIGURES = ("p50_us", "mean_us", "p99_us")
_INTERVAL_US = 1000


def _measure(options, stage, system):
    """Both cases of one system."""
    probe = options.build / "bin/bench_probe"
    count = 100 if options.quick else 500 * options.seconds
    with traffic.partner(stage, probe), traffic.iperf_server(stage):
        idle = traffic.round_trips(stage, probe, system, count, _INTERVAL_US)
        load = traffic.bulk(stage, system, 3600)
        try:
            busy = traffic.round_trips(stage, probe, system, count, _INTERVAL_US)
        finally:
            load.kill()
            load.wait(timeout=10)
    return {"idle": idle, "beside a TCP stream": busy}


def _add(found, bare, add):
    for name, cases in found.items():
        for case, figures in cases.items():
            base = bare[case] if bare else {}
            added = {f"added_{figure}": figures[figure] - base[figure]
                     for figure in _FIGURES if bare and name != "no tunnel"}
            add(case, name, {**added, **{figure: figures[figure] for figure in _FIGURES},
                             "lost": figures["lost"], "resolution_ns": figures["resolution_ns"]})


def collect(options, add):
    under_test = systems.some(options)
    found = {}
    with Stage(options) as stage:
        for _, system in turns(under_test, options.rounds):
            with system.running(stage):
                found[system.name] = _measure(options, stage, system)
            if len(found) == len(under_test):
                _add(found, found.get("no tunnel"), add)
                found = {}


BENCH = Bench(
    "latency", "Round trip of 64 bytes of UDP: what a tunnel adds to the bare cable", (
        Column("added_p50_us", "added p50, µs", 1), Column("added_mean_us", "added mean, µs", 1),
        Column("added_p99_us", "added p99, µs", 1), Column("p50_us", "p50, µs", 1),
        Column("mean_us", "mean, µs", 1), Column("p99_us", "p99, µs", 1),
        Column("lost", "lost", 0), Column("resolution_ns", "clock, ns", 0)),
    collect, lambda options: needs.hosts(options, "iperf3"))
