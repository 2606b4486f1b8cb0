"""A daemon that is killed: what it leaves, and who undoes it."""

import json
import pathlib

import pytest

import crash
import machine
import schema
from program import Tunnel

CYCLES = {"up": 9, "kill-switch": 9}  # crash_long_test.py runs many
SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schema"


@pytest.mark.parametrize("way", crash.WAYS)
def test_whatever_is_killed_a_clean_up_leaves_nothing(furnished, simplevpn, way):
    """With the kill switch nothing but the block, until `unblock`."""
    cycles = crash.Cycles(furnished, simplevpn, crash.WAYS[way])
    for seed in range(CYCLES.get(way, 4)):
        cycles.run(seed)
    assert cycles.left or crash.WAYS[way].end
    Tunnel(furnished, simplevpn).assert_gone()


@pytest.mark.parametrize("command", [
    "touch /etc/resolv.conf.simplevpn-lock", "chmod 600 /etc/resolv.conf",
    "mkdir /run/simplevpn/left", "touch /var/lib/simplevpn/wg0.journal",
    "touch /run/wireguard/wg0.sock", "ip rule add to 10.9.0.0/24 lookup 201"])
def test_what_is_left_is_seen(furnished, command):
    before = machine.describe(furnished)
    furnished.run(*command.split())
    assert machine.differences(before, machine.describe(furnished))


def test_a_killed_daemon_leaves_nothing_after_the_next_start_and_stop(furnished, simplevpn):
    before = machine.describe(furnished)
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    tunnel.up()
    facts = ("rules v4", "rules v6", "routes v4", "packet filter", "resolv.conf")
    running = {fact: machine.describe(furnished)[fact] for fact in facts}
    crash.kill(furnished)
    assert machine.differences(before, machine.describe(furnished))
    tunnel.up()
    assert not machine.differences(running, machine.describe(furnished))
    tunnel.call("down", "wg0")
    tunnel.assert_gone()
    assert not machine.differences(before, machine.describe(furnished))


def test_a_clean_up_does_not_touch_a_tunnel_that_runs(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.up()
    running = machine.describe(furnished)
    refused = tunnel.call("down", "--cleanup", "wg0", exit_status=5)
    assert "wg0 is running" in refused.stderr
    tunnel.call("down", "--cleanup")
    assert not machine.differences(running, machine.describe(furnished))
    refused = tunnel.call("unblock", "wg0", exit_status=5)
    assert "wg0 is running" in refused.stderr
    tunnel.call("down", "wg0")


def test_a_clean_up_of_nothing_is_fine(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    before = machine.describe(furnished)
    tunnel.call("down", "--cleanup")
    tunnel.call("down", "--cleanup", "wg0")
    tunnel.call("unblock", "wg0")
    assert not machine.differences(before, machine.describe(furnished))


def test_a_dry_run_prints_commands_and_changes_nothing(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    before = machine.describe(furnished)
    plan = tunnel.call("up", "--dry-run", "/run/wg0.conf").stdout.splitlines()
    assert plan[0] == "ip link set dev wg0 mtu 1420"
    assert "ip -4 address add 10.9.0.1/24 dev wg0" in plan
    assert "ip -4 route add 10.77.0.0/16 dev wg0 proto 87" in plan
    assert not machine.differences(before, machine.describe(furnished))
    assert not tunnel.link_exists()


@pytest.mark.parametrize("command", ["up", "client", "server"])
def test_a_dry_run_for_programs_is_a_document(furnished, simplevpn, command):
    tunnel = Tunnel(furnished, simplevpn)
    before = machine.describe(furnished)
    plan = json.loads(tunnel.call(command, "--dry-run", "--json", "/run/wg0.conf").stdout)
    schema.check(plan, json.loads((SCHEMAS / "plan.json").read_text(encoding="utf-8")))
    assert {"kind": "address", "command": "ip -4 address add 10.9.0.1/24 dev wg0"} \
        in plan["steps"]
    assert plan["script"] == tunnel.call(command, "--dry-run", "/run/wg0.conf").stdout
    assert not machine.differences(before, machine.describe(furnished))


def test_down_needs_a_name(furnished, simplevpn):
    assert "NAME" in Tunnel(furnished, simplevpn).call("down", exit_status=2).stderr
