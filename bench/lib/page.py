"""Blocks of a page that are made from reports: between <!-- bench NAME --> and <!-- end -->."""

import re

from . import report, targets
from .benches import named

_BLOCK = re.compile(r"(<!-- bench ([a-z]+) -->\n).*?(<!-- end -->)", re.S)


def _render(name, folder):
    if name == "targets":
        return targets.markdown(folder)
    found = report.load(folder, name)
    if found is None:
        return "*Not measured yet.*"
    bench = named(name)
    made = ", ".join(f"{what} {version}" for what, version in found["versions"].items())
    return (f"*{report.headline(found)}. {made}.*\n\n![{bench.title}]({folder.name}/{name}.svg)\n\n"
            f"{report.markdown(bench, found)}")


def fill(text, folder):
    """The page with every block made anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}{_render(block[2], folder)}\n{block[3]}", text)
