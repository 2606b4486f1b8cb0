"""clang-format 14 would change nothing. Exit code 77 (skipped) where there is no clang-format 14:
other versions format differently."""

import re
import shutil
import subprocess
import sys

from project import CPP, Problem, files, main, name

FORMATTER = "clang-format-14"
SKIP = 77


def check(root):
    sources = [str(path) for path in files(root, CPP)]
    if not sources:
        return []
    command = [FORMATTER, "--dry-run", "--style=file", *sources]
    output = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root).stderr
    problems = {}
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: .*clang-format-violations", output, re.M):
        inner = name(root, path)
        problems.setdefault(inner, Problem(inner, int(line), f"run {FORMATTER} -i on it"))
    return list(problems.values())


if __name__ == "__main__":
    if shutil.which(FORMATTER) is None:
        print(f"{FORMATTER} is not installed")
        sys.exit(SKIP)
    main(check)
