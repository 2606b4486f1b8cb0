"""Writes the whole programs of a Markdown page to files, so that what the page shows is compiled.

usage: extract.py PAGE.md FOLDER

Every ```c block with a main function becomes FOLDER/PAGE_N.c, N counting from 1. Prints the names.
"""

import re
import sys
from pathlib import Path


def main():
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    blocks = re.findall(r"^```c\n(.*?)^```$", page.read_text(), re.M | re.S)
    programs = [block for block in blocks if re.search(r"^int main\(", block, re.M)]
    for number, program in enumerate(programs, 1):
        file = folder / f"{page.stem.lower()}_{number}.c"
        if not file.exists() or file.read_text() != program:
            file.write_text(program)
        print(file.name)


main()
