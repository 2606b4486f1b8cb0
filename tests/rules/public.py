"""The public headers: every function has prose, few parameters and C types, and stands in the list
of symbols."""

import re

from functions import parameters
from project import Problem, blanked, main, name
from sizes import PARAMETERS

# Each library has its folder of headers and its list of symbols.
LIBRARIES = (("include/tunnel", "tests/abi/symbols.txt"),
             ("include/tunnel/host", "tests/abi/symbols-host.txt"))
DECLARATION = re.compile(r"^TUNNEL_API\b[^;]*?\b(\w+)\s*\([^;]*;", re.M | re.S)
FORBIDDEN = re.compile(r"\b(bool|_Bool|enum|long|short|unsigned|float|double|FILE|time_t|pid_t)\b")


def has_prose(lines, number):
    """Does a comment stand in the paragraph above line `number` (counted from 1)?"""
    for line in reversed(lines[: number - 1]):
        if not line.strip():
            return False
        if line.rstrip().endswith("*/"):
            return True
    return False


def check_function(path, lines, number, match):
    function, text = match.group(1), match.group(0)
    if not has_prose(lines, number):
        yield Problem(path, number, f"{function} has no prose above it")
    if parameters(text) > PARAMETERS + 1:  # the object that it acts on is not counted
        yield Problem(path, number, f"{function} has more than {PARAMETERS} parameters")
    bad = FORBIDDEN.search(text)
    if bad:
        yield Problem(path, number, f"{function}: no `{bad.group(1)}` in a signature")
    if not function.startswith("tunnel_"):
        yield Problem(path, number, f"{function} does not begin with tunnel_")


def check_symbols(declared, listing, listed):
    for symbol, (path, number) in declared.items():
        if symbol not in listed:
            yield Problem(path, number, f"{symbol} is not in {listing}")
    for number, symbol in enumerate(listed, 1):
        if symbol not in declared:
            yield Problem(listing, number, f"{symbol} is declared in no public header")
    if listed != sorted(set(listed)):
        yield Problem(listing, 1, "not sorted, or a symbol twice")


def check_library(root, folder, listing):
    problems, declared = [], {}
    for header in sorted((root / folder).glob("*.h")):
        path, text = name(root, header), header.read_text()
        lines, code = text.splitlines(), blanked(text)
        for match in DECLARATION.finditer(code):
            number = code.count("\n", 0, match.start()) + 1
            declared[match.group(1)] = (path, number)
            problems += check_function(path, lines, number, match)
    file = root / listing
    listed = file.read_text().split() if file.exists() else []
    return problems + list(check_symbols(declared, listing, listed))


def check(root):
    return [problem for folder, listing in LIBRARIES
            for problem in check_library(root, folder, listing)]


if __name__ == "__main__":
    main(check)
