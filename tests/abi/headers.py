"""Every public header compiles alone, in each language and with each compiler there is.

usage: headers.py INCLUDE_FOLDER WORK_FOLDER
"""

import shutil
import subprocess
import sys
from pathlib import Path

WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wconversion", "-Werror",
            "-fsyntax-only"]
C_COMPILERS = ("gcc", "clang", "clang-14")
CXX_COMPILERS = ("g++", "clang++", "clang++-14")


def variants(header):
    """Compiler commands that must accept the header."""
    if header.suffix == ".h":
        for compiler in filter(shutil.which, C_COMPILERS):
            yield from ([compiler, f"-std={std}", "-x", "c"] for std in ("c99", "c11"))
    for compiler in filter(shutil.which, CXX_COMPILERS):
        yield [compiler, "-std=c++20", "-x", "c++"]


def main():
    include, work = Path(sys.argv[1]), Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    count = failures = 0
    for header in sorted([*include.rglob("*.h"), *include.rglob("*.hpp")]):
        inner = header.relative_to(include)
        source = work / (str(inner).replace("/", "_") + ".c")
        # Twice: the guard works. The function: a C file must not be empty.
        source.write_text(f"#include <{inner}>\n#include <{inner}>\nint here(void);\n")
        for variant in variants(header):
            count += 1
            command = [*variant, *WARNINGS, "-I", str(include), str(source)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode:
                failures += 1
                print(f"{inner} with {' '.join(variant)}:\n{result.stderr}")
    print(f"{count} compilations, {failures} failed")
    sys.exit(1 if failures or not count else 0)


main()
