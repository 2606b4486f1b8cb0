"""What a tunnel without traffic does: nothing, one hopes. All systems at the same time."""

import contextlib
import time

from .. import needs, systems, usage
from ..figures import Bench, Column
from ..stage import Stage

_SETTLE_S = 30  # past the keepalives that answer the last packets
_WINDOW_S = 60


def collect(options, add):
    settle, window = (0.2, 1) if options.quick else (_SETTLE_S, _WINDOW_S)
    under_test = systems.some(options, bare=False)
    with contextlib.ExitStack() as stages:
        for system in under_test:
            stage = stages.enter_context(Stage())
            stages.callback(system.stop)
            system.start(stage)
        time.sleep(settle)
        engines = _each(under_test, _engine)
        time.sleep(0.2)  # who was asked goes back to sleep
        before = _each(under_test, _used)
        _each(under_test, lambda system: usage.reset_high_water(system.ends()))
        time.sleep(window)
        after = _each(under_test, _used)
        engines_after = _each(under_test, _engine)
        for system in under_test:
            name = system.name
            switches, cpu = (now - then for now, then in zip(after[name], before[name]))
            add("no traffic, no keepalive", name,
                {"wakeups": switches * _WINDOW_S / window, "cpu_ms": 1e3 * cpu * _WINDOW_S / window,
                 "engine": _difference(engines_after[name], engines[name]),
                 "rss_mib": usage.high_water_mib(system.ends())})


def _each(under_test, question):
    return {system.name: question(system) for system in under_test}


def _difference(after, before):
    return None if before is None else after - before


def _used(system):
    return usage.switches(system.ends()), usage.cpu(system.ends())


def _engine(system):
    return system.counters().get("wakeups")


BENCH = Bench(
    "idle", "An idle tunnel: how often its threads wake in 60 s, both ends together", (
        Column("wakeups", "wake-ups in 60 s", 0), Column("engine", "of our engine", 0),
        Column("cpu_ms", "CPU ms in 60 s", 0),
        Column("rss_mib", "RSS per end, MiB", 1)),
    collect, needs.hosts)
