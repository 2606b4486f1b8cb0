"""`status` that watches and checks: what monitoring and units ask."""

import json
import os
import pathlib
import select
import signal
import subprocess
import time

import pytest

import crash
import schema
import traffic
from netns import wait_until
from peers import Simplevpn, join
from program import PEER, PRIVATE, Tunnel

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
    left.process.send_signal(signal.SIGSTOP)  # or it would be set up again
    left.host.ip("link", "set", "wg0", "down")
    assert [ask("live"), ask("ready"), ask("handshake")] == [0, 7, 7]
    left.host.ip("link", "set", "wg0", "up")
    left.process.send_signal(signal.SIGCONT)
    assert ask("handshake", "--wait=0.4") == 3
    right.start()
    assert ask("handshake", "--wait=20") == 0
    assert ask("handshake") == 0


def test_a_start_can_wait_for_a_handshake(pair, simplevpn):
    left, right = pair
    left.configure()
    start = lambda *more: left.host.run(simplevpn, "up", "/run/wg0.conf", *more, check=False)
    done = start("--wait=0.3")
    assert done.returncode == 3 and "no handshake" in done.stderr and left.is_up()
    left.host.run(simplevpn, "down", "wg0")
    right.start()
    assert start("--wait").returncode == 0
    assert left.host.run(simplevpn, "status", "--check", "handshake").returncode == 0
    left.host.run(simplevpn, "down", "wg0")
    assert start("--wait", "-f").returncode == 2


def test_waiting_is_counted_in_seconds_also_where_a_daemon_hangs(tunnel, host):
    tunnel.up()
    host.kill("simplevpn-pkt", signal.SIGSTOP)
    began = time.monotonic()
    assert "does not answer" in check(tunnel, "live", "--wait=1", exit_status=3).stderr
    assert time.monotonic() - began < 3
    host.kill("simplevpn-pkt", signal.SIGCONT)
    check(tunnel, "live", "--wait=5")


def test_a_daemon_that_hangs_does_not_hide_the_others(tunnel, host):
    tunnel.call("up", "/run/wg0.conf")
    first = host.pids("simplevpn-pkt")
    for name in ("wg1", "wg2"):
        host.write(f"/run/{name}.conf", f"[Interface]\nPrivateKey = {PRIVATE}\n")
        tunnel.call("up", f"/run/{name}.conf")
    for pid in set(host.pids("simplevpn-pkt")) - set(first):
        os.kill(pid, signal.SIGSTOP)
    asked = [host.popen(tunnel.program, "status", *how, stdout=subprocess.PIPE)
             for how in ((), ("--json",))]
    began = time.monotonic()
    text, document = (each.communicate(timeout=20)[0] for each in asked)
    assert time.monotonic() - began < 8, "they are waited for together"
    assert [each.returncode for each in asked] == [3, 3]
    assert text.startswith("wg0  up") and "laptop" in text
    assert text.endswith("\nwg1  does not answer\n\nwg2  does not answer\n")
    document = json.loads(document)
    schema.check(document, STATUS_SCHEMA)
    assert [each["name"] for each in document["tunnels"]] == ["wg0"]
    assert [each["name"] for each in document["unread"]] == ["wg1", "wg2"]
    assert "wg1  does not" in check(tunnel, "live", "--wait=0.1", exit_status=3).stderr


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
    for line in (process.line(process.stdout) for _ in range(3)):
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
    assert process.line(process.stdout).startswith("wg0 ")
    tunnel.call("down", "wg0")
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 0 and errors == "wg0 has ended\n"
    assert watching(tunnel).wait(timeout=5) == 8
    tunnel.call("status", "wg0", "--watch", exit_status=8)


def test_a_terminal_is_redrawn(tunnel):
    tunnel.up()
    ours, theirs = os.openpty()
    process = watching(tunnel, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    seen = b""

    def drawn_twice():
        nonlocal seen
        if select.select([ours], [], [], 1)[0]:
            seen += os.read(ours, 65536)
        return seen.count(b"\033[H") >= 2
    wait_until(drawn_twice, what="two pictures")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    os.close(ours)
    assert seen.count(b"\033[2J") == 1 and b"wg0  up" in seen and b"\033[K\r\n" in seen


# ---- the kill switch ----

def blocks(side):
    """Ends the daemon of a side as a crash does; its block stays."""
    side.process.kill()
    crash.kill(side.host)


def launch(side, *flags):
    side.configure()
    side.process = side.host.popen(side.program, "-q", "client", "/run/wg0.conf", *flags,
                                   stderr=subprocess.DEVNULL)
    wait_until(lambda: not side.running() or side.is_up(), what="client is up")
    assert side.running()


def test_status_says_blocked_in_each_state(pair, simplevpn):
    left, right = pair
    def ask(*arguments, exit_status=0):
        done = left.host.run(simplevpn, "status", *arguments, check=False)
        assert done.returncode == exit_status, done.stdout + done.stderr
        return done
    def told(member):
        return left.status()[member]

    launch(left, "--kill-switch")
    wait_until(lambda: told("scheme") == "strict", what="routes")  # after the control socket
    assert (told("blocked"), told("kill_switch")) == (True, True)
    assert "BLOCKED" in ask("wg0").stdout and "simplevpn down wg0" in ask().stdout
    ask("wg0", "--check", "live")
    assert "is blocked" in ask("wg0", "--check", "ready", exit_status=7).stderr

    right.start()
    traffic.ping(left.host, right.ipv4, count=1)
    ask("wg0", "--check", "handshake", "--wait=20")
    assert told("blocked") is False and "BLOCKED" not in ask("wg0").stdout
    ask("wg0", "--check", "ready")

    blocks(left)
    for what in ("live", "ready", "handshake"):
        assert "blocks all traffic" in ask("--check", what, exit_status=7).stderr
    done = ask("wg0", exit_status=8)
    assert "blocks all traffic" in done.stderr and "simplevpn unblock wg0" in done.stderr
    assert "simplevpn unblock wg0 lifts it" in ask(exit_status=8).stdout
    document = json.loads(ask("--json", exit_status=8).stdout)
    schema.check(document, STATUS_SCHEMA)
    assert document["left_blocks"] == ["wg0"] and document["tunnels"] == []
    left.host.run("/bin/sh", "-c", "cd /var/lib/simplevpn; seq -f a%g.journal 64 | xargs touch")
    assert "simplevpn unblock wg0 lifts it" in ask(exit_status=8).stdout, "one of many journals"
    left.host.run(simplevpn, "unblock", "wg0")
    assert "blocks" not in ask().stdout
    assert "is not running" in ask("wg0", exit_status=8).stderr


def test_without_a_kill_switch_nothing_is_blocked(pair, simplevpn):
    left, _ = pair
    launch(left)
    wait_until(lambda: left.status()["scheme"] == "strict", what="routes")
    assert (left.status()["kill_switch"], left.status()["blocked"]) == (False, False)
    assert left.host.run(simplevpn, "status", "wg0", "--check", "ready").returncode == 0
    blocks(left)
    assert "blocks" not in left.host.run(simplevpn, "status", "wg0", check=False).stderr


def test_what_others_undo_and_rules_in_their_chains_are_shown(pair, simplevpn):
    left, _ = pair
    left.host.run("nft", "table ip filter { chain FORWARD { type filter hook forward priority 0; "
                  "policy drop;\n}\n}")
    left.configure()
    left.host.ip("route", "add", "default", "via", "192.0.2.2")
    process = left.host.popen(simplevpn, "-q", "server", "/run/wg0.conf", stderr=subprocess.DEVNULL)
    wait_until(lambda: process.poll() is not None or left.is_up(), what="server is up")
    wait_until(lambda: len(left.status()["foreign_rules"]) == 2, what="foreign rules")
    assert left.status()["undone_by_others"] == []
    text = left.host.run(simplevpn, "status", "wg0").stdout
    assert "rules of ours in ip filter FORWARD" in text
    left.host.run("nft", "flush", "chain", "ip", "filter", "FORWARD")
    assert all(each.startswith("nft 'insert rule ip filter FORWARD")
               for each in left.status()["undone_by_others"])
