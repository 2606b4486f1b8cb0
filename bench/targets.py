#!/usr/bin/python3
"""Prints the goals of the fast path beside what a run of bench/run.py measured.

    bench/targets.py [FOLDER]        (default: build/bench)

Exit status 1 when a target was missed; those that were not measured say so.
"""

import sys
from pathlib import Path

from lib import ROOT, targets


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/bench"
    return 1 if targets.print_all(folder) else 0


if __name__ == "__main__":
    sys.exit(main())
