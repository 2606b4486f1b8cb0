"""`status` that watches and checks: what monitoring and units ask."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

import schema
from netns import wait_until
from peers import Simplevpn, join
from program import PEER, Tunnel

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATUS_SCHEMA = json.loads((ROOT / "docs" / "schema" / "status.json").read_text(encoding="utf-8"))


@pytest.fixture
def tunnel(host, simplevpn):
    return Tunnel(host, simplevpn)


@pytest.fixture
def pair(lab, simplevpn):
    left, right = lab.host("left"), lab.host("right")
    lab.veth(left, ["192.0.2.1/24"], right, ["192.0.2.2/24"])
    sides = Simplevpn(left, simplevpn), Simplevpn(right, simplevpn)
    join(*sides, ("192.0.2.1", "192.0.2.2"), initiator="left")
    return sides


def check(tunnel, what, *arguments, exit_status=0):
    return tunnel.call("status", "--check", what, *arguments, exit_status=exit_status)


# ---- --check ----

def test_checks_hold_one_after_the_other(pair, simplevpn):
    left, right = pair
    for what in ("live", "ready", "handshake"):
        done = left.host.run(simplevpn, "status", "wg0", "--check", what, check=False)
        assert done.returncode == 7 and "wg0 is not running" in done.stderr
        assert done.stdout == ""
    left.start()
    ask = lambda what, *more: left.host.run(simplevpn, "status", "wg0", "--check", what, *more,
                                            check=False).returncode
    assert [ask("live"), ask("ready"), ask("handshake")] == [0, 0, 7]
    left.host.ip("link", "set", "wg0", "down")
    assert [ask("live"), ask("ready"), ask("handshake")] == [0, 7, 7]
    left.host.ip("link", "set", "wg0", "up")
    assert ask("handshake", "--wait=0.4") == 3
    right.start()
    assert ask("handshake", "--wait=20") == 0
    assert ask("handshake") == 0


def test_a_failed_check_says_why_also_to_programs(tunnel):
    tunnel.up()
    assert "no handshake" in check(tunnel, "handshake", exit_status=7).stderr
    error = json.loads(check(tunnel, "handshake", "--json", exit_status=7).stderr)["error"]
    assert error["code"] == "E_CHECK_FAILED" and "180 s" in error["message"]


def test_checks_of_one_peer(tunnel):
    tunnel.up()
    check(tunnel, "ready", "--peer", "laptop")
    check(tunnel, "ready", "--peer", PEER)
    assert "nobody" in check(tunnel, "ready", "--peer", "nobody", exit_status=7).stderr


def test_only_one_peer_is_shown(tunnel):
    tunnel.up()
    shown = json.loads(tunnel.call("status", "--peer", "laptop", "--json").stdout)
    assert [peer["name"] for peer in shown["tunnels"][0]["peers"]] == ["laptop"]
    done = tunnel.call("status", "--peer", "nobody", exit_status=10)
    assert "nobody" in done.stderr and done.stdout == ""


# ---- --watch ----

def watching(tunnel, *arguments, **options):
    return tunnel.host.popen(tunnel.program, "status", "wg0", "--watch=0.1", *arguments, **options)


def test_a_watched_tunnel_is_one_json_document_per_line(tunnel):
    tunnel.up()
    process = watching(tunnel, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in (process.stdout.readline() for _ in range(3)):
        document = json.loads(line)
        schema.check(document, STATUS_SCHEMA)
        assert document["tunnels"][0]["name"] == "wg0"
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=5)
    assert process.returncode == 130 and errors == ""
    assert rest == "" or rest.endswith("}\n"), "a whole line at the end"


def test_watching_ends_with_the_daemon(tunnel):
    tunnel.up()
    process = watching(tunnel, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith("wg0 ")
    tunnel.call("down", "wg0")
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 0 and errors == "wg0 has ended\n"
    watching(tunnel).wait(timeout=5)
    tunnel.call("status", "wg0", "--watch", exit_status=8)


def test_a_terminal_is_redrawn(tunnel):
    tunnel.up()
    ours, theirs = os.openpty()
    process = watching(tunnel, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    seen = b""

    def drawn_twice():
        nonlocal seen
        seen += os.read(ours, 65536)
        return seen.count(b"\033[H") >= 2
    wait_until(drawn_twice, what="two pictures")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    os.close(ours)
    assert seen.count(b"\033[2J") == 1 and b"wg0  up" in seen and b"\033[K\r\n" in seen
