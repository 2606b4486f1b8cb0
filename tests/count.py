"""Adds up ctest's results. Prints one line `PASSED FAILED SKIPPED`, and what failed or was skipped
on standard error.

usage: count.py RESULTS.xml...
"""

import sys
import xml.etree.ElementTree as xml


def outcome(case):
    status = case.get("status")
    if status == "run" and case.find("failure") is None:
        return "passed"
    return "skipped" if status in ("notrun", "disabled") else "failed"


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for file in sys.argv[1:]:
        for case in xml.parse(file).getroot().iter("testcase"):
            result = outcome(case)
            counts[result] += 1
            if result != "passed":
                print(f"  {result}: {case.get('name')} ({file})", file=sys.stderr)
    print(*counts.values())


main()
