#!/usr/bin/python3
"""Puts the results of a run of bench/run.py into docs/performance.md.

    bench/document.py FOLDER             copies JSON and plots to docs/performance, makes tables
    bench/document.py docs/performance   only writes the tables anew
    bench/document.py --check            exit status 1 unless the page holds what those files say
"""

import shutil
import sys
from pathlib import Path

from lib import ROOT, page
from lib.benches import ALL

PAGE = ROOT / "docs/performance.md"
RESULTS = ROOT / "docs/performance"


def copy(folder):
    if folder == RESULTS:
        return
    RESULTS.mkdir(exist_ok=True)
    for bench in ALL:
        for suffix in ("json", "svg"):
            found = folder / f"{bench.name}.{suffix}"
            if found.exists():
                shutil.copyfile(found, RESULTS / found.name)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] != "--check":
        copy(Path(sys.argv[1]).resolve())
    before = PAGE.read_text(encoding="utf-8")
    after = page.fill(before, RESULTS)
    if sys.argv[1] == "--check":
        return 0 if before == after else 1
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
