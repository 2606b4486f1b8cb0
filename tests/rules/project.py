"""What every rule needs: the project's files, their text without comments, and how to report."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("include", "src", "bindings", "examples", "tests", "bench", "cmake", ".ci")
CPP = {".h", ".hpp", ".c", ".cpp"}
SCRIPTS = {".py", ".sh", ".cmake"}
SKIPPED = {"build", "__pycache__", "corpus", "data"}


@dataclass(frozen=True)
class Problem:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def files(root, suffixes, folders=FOLDERS):
    """Every file below `root` with one of the suffixes, in a stable order."""
    found = []
    for folder in folders:
        for path in sorted(Path(root, folder).rglob("*")):
            kind = ".cmake" if path.name == "CMakeLists.txt" else path.suffix
            inner = path.relative_to(root)
            if kind in suffixes and path.is_file() and not SKIPPED & set(inner.parts):
                found.append(path)
    return found


def name(root, path):
    return Path(path).relative_to(root).as_posix()


_BLANKED = re.compile(
    r"""//[^\n]*                                  # line comment
      | /\*.*?\*/                                 # block comment
      | R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"  # raw string
      | "(?:\\.|[^"\\\n])*"                       # string
      | (?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'      # character, not a digit separator
    """,
    re.S | re.X,
)


def blanked(text):
    """C or C++ text with comments, strings and characters blanked; lines stay where they are."""

    def blank(match):
        kept = match.group(0)
        if kept.startswith('"') or kept.startswith("R"):
            return '""' + "\n" * kept.count("\n")
        return " " + "\n" * kept.count("\n") if kept[0] == "/" else "0"

    return _BLANKED.sub(blank, text)


def without_preprocessor(text):
    """The same text with preprocessor lines (and their continuations) emptied."""
    return re.sub(
        r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*",
        lambda match: "\n" * match.group(0).count("\n"),
        text,
        flags=re.M | re.S,
    )


def main(check):
    """Runs a rule on the tree named on the command line; exit code 1 when there are problems."""
    problems = check(Path(sys.argv[1]).resolve())
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
