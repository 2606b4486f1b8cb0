"""The hand-written stubs say what the module has: no more, no less."""

import ast
import pathlib

import tunnel

STUBS = pathlib.Path(tunnel.__file__).with_name("__init__.pyi")


def tree():
    return ast.parse(STUBS.read_text())


def names_in(body):
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield node.targets[0].id


def test_the_stubs_name_what_the_package_exports():
    public = {name for name in names_in(tree().body) if name not in ("_Bytes", "_Prefix")}
    assert public == set(tunnel.__all__)
    assert all(hasattr(tunnel, name) for name in tunnel.__all__)


def test_the_stubs_name_the_members_of_every_class():
    for node in tree().body:
        if not isinstance(node, ast.ClassDef):
            continue
        cls = getattr(tunnel, node.name)
        missing = {name for name in names_in(node.body) if not hasattr(cls, name)}
        missing -= {"status", "hint"}  # set by the constructor of the exception
        assert not missing, f"{node.name}: {missing} only in the stubs"
        if cls.__module__ == "tunnel._native":
            extra = {name for name in vars(cls) if not name.startswith("_")} - set(
                names_in(node.body))
            assert not extra, f"{node.name}: {extra} not in the stubs"


def test_the_enumerations_have_the_numbers_of_the_library():
    for name in ("Verdict", "EventKind"):
        node = next(n for n in tree().body if isinstance(n, ast.ClassDef) and n.name == name)
        stub = {item.targets[0].id: item.value.value for item in node.body}
        assert stub == {member.name: member.value for member in getattr(tunnel, name)}
    assert tunnel.status_text(tunnel.Verdict.DROP_REPLAY) == "replay"


def test_the_package_is_typed():
    assert STUBS.with_name("py.typed").exists()
