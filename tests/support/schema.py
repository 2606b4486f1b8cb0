"""The part of JSON Schema that our own schemas use; Debian's validator is not needed for it."""

import datetime

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
         "null": type(None)}


def _is(value, name):
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def _check_object(value, schema, root, place):
    for name in schema.get("required", []):
        assert name in value, f"{place}: {name} is missing"
    known = schema.get("properties", {})
    for name, member in value.items():
        if name in known:
            check(member, known[name], root, f"{place}.{name}")
        elif "additionalProperties" in schema:
            check(member, schema["additionalProperties"], root, f"{place}.{name}")
        else:
            raise AssertionError(f"{place}: {name} is not in the schema")


def _fits(value, schema, root, place):
    try:
        check(value, schema, root, place)
    except AssertionError:
        return False
    return True


def check(value, schema, root=None, place="document"):
    """Raises AssertionError with the place of the first member that does not fit. Stricter than
    the standard in one point: a member that the schema does not name is an error."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "const" in schema:
        assert value == schema["const"], f"{place}: {value!r} is not {schema['const']!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{place}: {value!r} is none of {schema['enum']}"
    if "oneOf" in schema:
        fitting = sum(_fits(value, each, root, place) for each in schema["oneOf"])
        assert fitting == 1, f"{place}: fits {fitting} of the alternatives"
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(_is(value, name) for name in names), f"{place}: {value!r} is not {names}"
    if schema.get("format") == "date-time" and isinstance(value, str):
        assert value.endswith("Z"), f"{place}: {value} is not UTC"
        datetime.datetime.fromisoformat(value[:-1])
    if isinstance(value, dict) and schema.get("type") == "object":
        _check_object(value, schema, root, place)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            check(item, schema["items"], root, f"{place}[{index}]")
