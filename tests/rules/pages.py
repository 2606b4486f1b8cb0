"""The pages: relative links lead somewhere, and files that a page names in backticks exist."""

import re

from project import Problem, main, name

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:include|src|tests|examples|docs|bench|cmake|bindings)/[\w./-]+\.\w+)`")
BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)


def pages(root):
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])


def targets(root, page, text):
    """Each path that the page speaks of, with its place in the text."""
    for match in LINK.finditer(text):
        if "://" not in match.group(1) and not match.group(1).startswith("mailto:"):
            yield match, page.parent / match.group(1)
    for match in NAMED.finditer(text):
        yield match, root / match.group(1)


def check(root):
    problems = []
    for page in pages(root):
        text = BLOCK.sub(lambda block: "\n" * block.group(0).count("\n"), page.read_text())
        for match, target in targets(root, page, text):
            if not target.exists():
                line = text.count("\n", 0, match.start()) + 1
                problems.append(Problem(name(root, page), line, f"no {match.group(1)}"))
    return problems


if __name__ == "__main__":
    main(check)
