"""Words and constructs that do not stand in our code."""

import re
from dataclasses import dataclass

from project import CPP, SCRIPTS, Problem, blanked, files, main, name


@dataclass(frozen=True)
class Ban:
    pattern: str
    why: str
    folders: tuple = ("include", "src", "bindings", "examples", "tests", "bench", "cmake", ".ci")
    suffixes: frozenset = frozenset(CPP)
    in_comments: bool = False
    but: tuple = ()


EVERYWHERE = frozenset(CPP | SCRIPTS)
ROOMS = ("src",)

BANS = (
    Ban(r"\bthrow\b", "we do not throw", folders=("include", "src", "examples", "bench")),
    Ban(r"\b(?:catch\s*\(|try\s*\{)", "exceptions stop in base/guard.h", folders=ROOMS,
        but=("src/base/guard.h",)),
    Ban(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b", "finish it or file an issue", in_comments=True,
        suffixes=EVERYWHERE),
    Ban(r"^[ \t]*(?://|/\*|\*|#)[ \t]*[-=*#~_]{10,}", "no banners", suffixes=EVERYWHERE,
        in_comments=True),
    Ban(r"^[ \t]*//[ \t]*(?:[^\n]*(?:\)|=[^\n]*|\breturn\b[^\n]*);|[^\n]*\)[ \t]*\{|\})[ \t]*$",
        "no commented-out code", in_comments=True, folders=ROOMS),
    Ban(r"\busing\s+namespace\b", "name what you use", folders=ROOMS),
    Ban(r"\b(?:dynamic_cast|typeid)\b", "no run-time types", folders=ROOMS),
    Ban(r"\bvirtual\b", "interfaces are C tables", folders=ROOMS),
    Ban(r"^[ \t]*#[ \t]*define\b", "no macros in rooms", folders=ROOMS),
    Ban(r"\b(?:sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(", "no sleeps",
        folders=("src", "tests/unit", "tests/sim")),
    Ban(r"\b(?:abort|exit|_exit|quick_exit)\s*\(", "a library does not end its process",
        folders=ROOMS),
    Ban(r"/(?:home|work|tmp/wt|Users)/", "no paths of one machine", suffixes=EVERYWHERE,
        in_comments=True),
)


def check_ban(root, ban):
    pattern = re.compile(ban.pattern, re.M)
    for source in files(root, ban.suffixes, ban.folders):
        path = name(root, source)
        if path in ban.but or path.startswith("tests/rules/"):
            continue
        text = source.read_text()
        if not ban.in_comments and source.suffix in CPP:
            text = blanked(text)
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Problem(path, line, f"'{match.group(0).strip()}': {ban.why}")


def check(root):
    return [problem for ban in BANS for problem in check_ban(root, ban)]


if __name__ == "__main__":
    main(check)
