"""Who includes whom: the table of docs/architecture.md, held against every #include."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch

from project import CPP, Problem, files, main, name

TABLE = "docs/architecture.md"
DOORS = {"src/protocol": {"protocol.h", "gate.h"}}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]')

# Headers of the C and C++ libraries that any room may use: no files, threads, clocks or streams.
PLAIN = set(
    """algorithm any array atomic bit bitset cassert cerrno charconv cinttypes climits compare
    concepts cstddef cstdint cstdlib cstring deque exception functional initializer_list iterator
    limits list map memory new numeric optional queue set span string string_view system_error tuple
    type_traits
    unordered_map unordered_set utility variant vector
    assert.h errno.h inttypes.h limits.h stddef.h stdint.h stdlib.h string.h""".split()
)


@dataclass
class Room:
    path: str
    may: set
    only: list = field(default_factory=list)

    def doors(self):
        return DOORS.get(self.path, {self.path.rsplit("/", 1)[-1] + ".h"})


def public(room):
    """The public headers that every room of a library may include."""
    if not room.startswith("src/"):
        return set()
    host = {"include/tunnel/host"} if room.startswith("src/host") else set()
    return {"include/tunnel"} | host


def rooms(root):
    """Rows of the table whose first cell is a path in backticks."""
    found = {}
    for line in (root / TABLE).read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        path = re.fullmatch(r"`((?:include|src)/[\w/]+)`", cells[0]) if len(cells) == 4 else None
        if path:
            words = re.findall(r"[\w/]+", cells[2])
            may = {word if word.startswith("include/") else f"src/{word}" for word in words}
            only = re.findall(r"`<([^>]+)>`", cells[3])
            found[path.group(1)] = Room(path.group(1), may | public(path.group(1)), only)
    return found


def room_of(table, path):
    """The row with the longest path that `path` lies in."""
    fitting = [room for room in table if path == room or path.startswith(room + "/")]
    return table[max(fitting, key=len)] if fitting else None


def resolve(root, source, target):
    """Project path of a quoted include: beside the file, in src/, or in include/."""
    for place in (source.parent, root / "src", root / "include"):
        found = place / target
        if found.is_file():
            return name(root, found.resolve())
    return None


def check_own(table, here, target):
    """Why a room may not include one of our files, or None."""
    there = room_of(table, target)
    if there is None:
        return f"{target} lies in no room"
    if there is here:
        return None
    if there.path not in here.may:
        return f"{here.path} may not include {there.path}"
    if there.path.startswith("src/") and target.rsplit("/", 1)[-1] not in there.doors():
        return f"{target} is not a door of {there.path}"
    return None


def check_foreign(table, here, header):
    """Why a room may not include a header that is not ours, or None."""
    if any(fnmatch(header, pattern) for pattern in here.only):
        return None
    owners = [room.path for room in table.values() for only in room.only if fnmatch(header, only)]
    if owners:
        return f"<{header}> belongs to {', '.join(sorted(set(owners)))}"
    return None if header in PLAIN else f"<{header}> is in no row of {TABLE}"


def check_include(root, table, source, match):
    inner = name(root, source)
    here = room_of(table, inner)
    bracket, target = match.groups()
    if here is None:
        return f"{inner} lies in no room"
    if bracket == "<" and not target.startswith("tunnel/"):
        return check_foreign(table, here, target)
    found = resolve(root, source, target)
    if found is None:
        return f"{target} is not a file of the project"
    return check_own(table, here, found)


def check_outsider(root, source, match):
    """Bindings and examples: public headers, and their own folder."""
    bracket, target = match.groups()
    if bracket == "<":
        return None
    found = resolve(root, source, target)
    if found and found.startswith("src/"):
        return f"{target}: only public headers and own files here"
    return None


def check(root):
    table = rooms(root)
    problems = []
    if len(table) < 3:
        problems.append(Problem(TABLE, 1, "the table of rooms was not found"))
    for source in files(root, CPP, ("include", "src", "bindings", "examples")):
        inside = name(root, source).startswith(("include/", "src/"))
        for number, line in enumerate(source.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match is None:
                continue
            why = (
                check_include(root, table, source, match)
                if inside
                else check_outsider(root, source, match)
            )
            if why:
                problems.append(Problem(name(root, source), number, why))
    return problems


if __name__ == "__main__":
    main(check)
