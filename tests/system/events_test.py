"""`events`: what happens to a tunnel, as it happens."""

import json
import pathlib
import select
import signal
import subprocess

import pytest

import schema
import traffic
from netns import wait_until
from peers import Simplevpn, join
from program import Tunnel, need

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schema" / "events.json").read_text(encoding="utf-8"))


@pytest.fixture
def tunnel(host, simplevpn):
    return Tunnel(host, simplevpn)


def listen(host, simplevpn, *arguments):
    return host.popen(simplevpn, "events", *arguments, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)


def next_of(process):
    event = json.loads(process.line(process.stdout))
    schema.check(event, SCHEMA)
    return event


def next_about_a_peer(process):
    """The daemon also tells that the network changed, for instance by its own addresses."""
    event = next_of(process)
    return event if event["event"] != "state" else next_about_a_peer(process)


def test_handshakes_roaming_and_the_end_are_told(cable, simplevpn):
    left, right = (Simplevpn(host, simplevpn) for host in cable)
    join(left, right, ("192.0.2.1", "192.0.2.2"), initiator="left")
    right.start()
    process = listen(right.host, simplevpn, "wg0", "--json", "--since", "all")
    assert next_of(process)["state"] == "up"
    left.start()
    traffic.ping(left.host, right.ipv4, count=1)
    told = [next_about_a_peer(process) for _ in range(2)]
    assert {event["event"] for event in told} == {"handshake", "roam"}
    shake = next(event for event in told if event["event"] == "handshake")
    assert shake["role"] == "responder" and shake["public_key"] == left.public
    left.host.ip("address", "flush", "dev", "right")
    left.host.ip("address", "add", "192.0.2.9/24", "dev", "right")
    traffic.ping(left.host, right.ipv4, count=1)
    roam = next_about_a_peer(process)
    assert roam["event"] == "roam"
    assert roam["endpoint"].startswith("192.0.2.9:")
    right.stop()
    rest = [json.loads(line) for line in iter(lambda: process.line(process.stdout), "")]
    assert rest[-1]["state"] == "down" and process.wait(timeout=5) == 0
    assert process.stderr.read() == ""


def test_without_since_only_news_are_told_and_an_interrupt_ends_it(tunnel):
    tunnel.up()
    process = listen(tunnel.host, tunnel.program, "wg0")

    def told_of_a_change():
        tunnel.host.ip("address", "add", "192.0.2.1/24", "dev", "lo", check=False)
        tunnel.host.ip("address", "del", "192.0.2.1/24", "dev", "lo", check=False)
        return select.select([process.stdout], [], [], 0)[0]
    wait_until(told_of_a_change, what="an event")
    assert "wg0 state state=network_changed" in process.line(process.stdout)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130


def test_what_was_kept_is_told_by_time(tunnel):
    tunnel.up()
    for since in ("all", "1d", "2020-01-01T00:00:00Z"):
        process = listen(tunnel.host, tunnel.program, "--since", since, "--json")
        assert next_of(process)["state"] == "up"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    for wrong in ("yesterday", "5", "-1s", "2020-01-01", "1w"):
        tunnel.call("events", f"--since={wrong}", exit_status=2)


def test_without_a_daemon_there_is_nothing_to_listen_to(tunnel):
    tunnel.call("events", exit_status=8)
    tunnel.call("events", "wg0", exit_status=8)
    tunnel.call("events", "x y", exit_status=2)


def test_a_daemon_that_tells_no_events_is_left_out(tunnel):
    need("wireguard-go")
    tunnel.host.run("env", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1", "wireguard-go", "wg5")
    done = tunnel.call("events", exit_status=8)
    assert "wg5 tells no events" in done.stderr
    tunnel.call("events", "wg5", exit_status=1)
    tunnel.up()
    process = listen(tunnel.host, tunnel.program, "--since", "all", "--json")
    assert next_of(process)["tunnel"] == "wg0"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
