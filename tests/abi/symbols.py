"""The shared library exports exactly the functions of the list, under the version node TUNNEL_1.

usage: symbols.py LIBRARY LIST [--update]
"""

import subprocess
import sys
from pathlib import Path

NODE = "TUNNEL_1"


def exported(library):
    """Names with their version, as nm prints them: `0000 T name@@NODE`."""
    command = ["nm", "-D", "--defined-only", library]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(line.split()[2] for line in lines if line.split()[1] != "A")


def main():
    library, listing = sys.argv[1], Path(sys.argv[2])
    found = exported(library)
    names = [symbol.split("@")[0] for symbol in found]
    if "--update" in sys.argv:
        listing.write_text("\n".join(names) + "\n")
        return 0
    listed = listing.read_text().split()
    problems = [f"exported, but not in the list: {name}" for name in names if name not in listed]
    problems += [f"in the list, but not exported: {name}" for name in listed if name not in names]
    problems += [f"not in {NODE}: {each}" for each in found if not each.endswith(f"@@{NODE}")]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


sys.exit(main())
