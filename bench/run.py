#!/usr/bin/python3
"""Runs benches; each writes NAME.json and NAME.svg into a folder and prints a table.

    bench/run.py throughput [--rounds 5] [--seconds 8] [--peer 'NAME=COMMAND']...
    bench/run.py --all [--quick] [--out build/bench]

Every system has its turn in each round, every second round in reverse order. A peer is started as
`COMMAND -f wg0` and must have a WireGuard control socket. Those that need network namespaces need
root. Exit status 77: something is missing, and nothing was measured.

Both ends, the load and the kernel share this machine's cores. So the figures compare systems within
one run; they are not what a link between two machines would carry.
"""

import argparse
import sys
from pathlib import Path

from lib import ROOT, report, targets
from lib.benches import ALL, named
from lib.stage import CABLES

SKIPPED = 77


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    names = [bench.name for bench in ALL]
    parser.add_argument("bench", nargs="*", metavar="BENCH", help=", ".join(names))
    parser.add_argument("--all", action="store_true", help="every bench, then the targets")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release",
                        help="build folder (default: build/release)")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench",
                        help="where results go (default: build/bench)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each stream")
    parser.add_argument("--quick", action="store_true",
                        help="does everything work? one round, too short to mean anything")
    parser.add_argument("--only", action="append", metavar="SYSTEM", help="only these systems")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--reference", default="wireguard-go", help="of the ratios")
    parser.add_argument("--cable", choices=CABLES, default="plain",
                        help="offloads of the cable between the hosts: all, all but UDP "
                             "segmentation, none as with a simple network card")
    parser.add_argument("--pin", action="store_true", help="one core for each end and its load")
    parser.add_argument("--own-buffers", action="store_true",
                        help="leave every daemon the socket buffers that it asked for")
    parser.add_argument("--strict", action="store_true",
                        help="fail when a bench must be left out or a target is missed")
    options = parser.parse_args()
    unknown = set(options.bench) - set(names)
    if unknown or not (options.bench or options.all):
        parser.error(f"benches are {', '.join(names)}")
    options.bench = names if options.all else options.bench
    options.build = options.build.resolve()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


def run(bench, options):
    """True when it was measured."""
    absent = bench.needs(options)
    if absent:
        print(f"{bench.name}: SKIP: {absent}")
        return False
    print(f"{bench.name}: {bench.title}", file=sys.stderr)
    result = report.measure(bench, options)
    report.save(bench, result, options.out)
    report.print_table(bench, result)
    return True


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    done = [name for name in options.bench if run(named(name), options)]
    if not done:
        return SKIPPED
    print(f"\nresults: {options.out}")
    missed = targets.print_all(options.out) if options.all else 0
    return 1 if options.strict and (missed or len(done) < len(options.bench)) else 0


if __name__ == "__main__":
    sys.exit(main())
