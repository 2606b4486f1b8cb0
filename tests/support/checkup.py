"""What `simplevpn doctor` says, checked against its schema."""

import json
import pathlib

import schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schema" / "doctor.json").read_text(encoding="utf-8"))


def findings(host, program, target, *arguments, exit_status=None):
    """Every finding, in order. It exits 7 when one is a FAIL, else 0. `target` None: of all."""
    words = [target] if target else []
    done = host.run(program, "doctor", *words, "--json", *arguments, check=False)
    assert done.returncode in (0, 7), done.stdout + done.stderr
    assert exit_status in (None, done.returncode), done.stdout
    document = json.loads(done.stdout)
    schema.check(document, SCHEMA)
    assert document["sound"] == (done.returncode == 0)
    failed = any(finding["level"] == "FAIL" for finding in document["findings"])
    assert failed == (done.returncode == 7)
    for finding in document["findings"]:
        assert (finding["fix"] is None) == (finding["level"] == "PASS"), finding
    return document["findings"]


def complaints(*arguments, **options):
    """{check: finding} of what is not a PASS; of several the last."""
    return {finding["check"]: finding for finding in findings(*arguments, **options)
            if finding["level"] != "PASS"}


def passes(*arguments, **options):
    """{check: finding} of what is a PASS."""
    return {finding["check"]: finding for finding in findings(*arguments, **options)
            if finding["level"] == "PASS"}
