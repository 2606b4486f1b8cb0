"""How large things may be: files, functions, lines, nesting, parameters."""

import ast

from functions import functions
from project import CPP, SCRIPTS, Problem, files, main, name

FILE_LINES = 400
FUNCTION_LINES = 60
COLUMNS = 100
NESTING = 3
PARAMETERS = 5

# Signatures that are fixed from outside: the test hooks (docs/testing.md), callbacks of c-ares.
FOREIGN_SIGNATURES = ("tunnel_test_", "cares_")


def check_lines(path, text):
    lines = text.splitlines()
    if len(lines) >= FILE_LINES:
        yield Problem(path, len(lines), f"{len(lines)} lines; a file stays under {FILE_LINES}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield Problem(path, number, f"{len(line)} columns; a line has at most {COLUMNS}")


def check_cpp(path, text):
    for each in functions(text):
        if each.lines >= FUNCTION_LINES:
            yield Problem(path, each.line, f"{each.name} has {each.lines} lines, under "
                          f"{FUNCTION_LINES} are allowed")
        if each.nesting > NESTING:
            yield Problem(path, each.line, f"{each.name} nests {each.nesting} deep, {NESTING} are "
                          "allowed")
        if each.parameters > PARAMETERS and not each.name.startswith(FOREIGN_SIGNATURES):
            yield Problem(path, each.line, f"{each.name} has {each.parameters} parameters, "
                          f"{PARAMETERS} are allowed")


def check_python(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if lines >= FUNCTION_LINES:
                yield Problem(path, node.lineno, f"{node.name} has {lines} lines")


def check(root):
    problems = []
    for source in files(root, CPP | SCRIPTS):
        path, text = name(root, source), source.read_text()
        problems += check_lines(path, text)
        if source.suffix in CPP:
            problems += check_cpp(path, text)
        elif source.suffix == ".py":
            problems += check_python(path, text)
    return problems


if __name__ == "__main__":
    main(check)
