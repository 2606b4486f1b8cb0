"""What a daemon that was killed has left on the machine: who says so, and what undoes it."""

import json
import pathlib

import pytest

import checkup
import crash
import machine
import schema
from program import CONFIG, Tunnel

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATUS_SCHEMA = json.loads((ROOT / "docs" / "schema" / "status.json").read_text(encoding="utf-8"))
CLEANUP = "simplevpn down --cleanup wg0"


@pytest.fixture(name="tunnel")
def fixture_tunnel(furnished, simplevpn):
    """Takes everything, and sets name servers; not started."""
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    return tunnel


def test_status_names_what_is_left_and_what_undoes_it(tunnel):
    tunnel.up()
    crash.kill(tunnel.host)
    assert f"is left: {CLEANUP} undoes it\n" in tunnel.call("status", exit_status=8).stdout
    done = tunnel.call("status", "wg0", exit_status=8)
    assert "is left" in done.stderr and CLEANUP in done.stderr
    document = json.loads(tunnel.call("status", "--json", exit_status=8).stdout)
    schema.check(document, STATUS_SCHEMA)
    assert (document["left_blocks"], document["left_over"]) == ([], ["wg0"])
    assert "is left" in tunnel.call("status", "--check", "live", exit_status=7).stderr
    tunnel.call("down", "--cleanup", "wg0")
    assert "no tunnel is running" in tunnel.call("status").stderr
    assert CLEANUP not in tunnel.call("status", "wg0", exit_status=8).stderr


@pytest.mark.parametrize("target", ["wg0", "/run/wg0.conf"])
def test_doctor_blames_what_is_left_and_not_the_network(tunnel, target):
    tunnel.up()
    crash.kill(tunnel.host)
    found = checkup.complaints(tunnel.host, tunnel.program, target, exit_status=7)
    assert set(found) == {"left_over"} and found["left_over"]["fix"] == CLEANUP
    tunnel.call("down", "--cleanup", "wg0")
    tunnel.call("doctor", "wg0", exit_status=10)


def test_down_undoes_what_is_left_and_says_so(tunnel):
    before = machine.describe(tunnel.host)
    tunnel.up()
    crash.kill(tunnel.host)
    done = tunnel.call("down", "wg0")
    assert "was not running" in done.stderr and "undone\n" in done.stderr
    assert not machine.differences(before, machine.describe(tunnel.host))
    assert "is not running" in tunnel.call("down", "wg0", exit_status=8).stderr


def test_a_left_block_is_named_by_other_tunnels_until_down_lifts_it(tunnel):
    before = machine.describe(tunnel.host)
    tunnel.call("up", "/run/wg0.conf", "--strict", "--kill-switch")
    crash.kill(tunnel.host)
    tunnel.host.write("/run/wg1.conf", CONFIG.replace("51820", "51821"))
    warned = tunnel.call("up", "/run/wg1.conf").stderr
    assert "warning: wg0 is not running, and its kill switch blocks all traffic: " \
           "simplevpn unblock wg0 lifts it\n" in warned
    assert f"warning: wg0 is not running, and what it set on this machine is left: {CLEANUP}" \
        in warned
    found = checkup.complaints(tunnel.host, tunnel.program, "wg1", exit_status=7)
    assert found["block"]["fix"] == "simplevpn unblock wg0" and "kill_switch" not in found
    assert "its block is lifted" in tunnel.call("down", "wg0").stderr
    assert {"block", "left_over"}.isdisjoint(
        checkup.complaints(tunnel.host, tunnel.program, "wg1"))
    tunnel.call("down", "wg1")
    assert not machine.differences(before, machine.describe(tunnel.host))


def test_dead_name_servers_after_a_power_loss_are_named(tunnel):
    before = machine.describe(tunnel.host)["resolv.conf"]
    tunnel.up()
    crash.kill(tunnel.host)
    tunnel.host.replace_file("/proc/sys/kernel/random/boot_id",
                             "0b2c1a52-9b6e-4d43-9d0c-2f0d7d6f4a11\n")
    assert CLEANUP in tunnel.call("status", exit_status=8).stdout
    found = checkup.complaints(tunnel.host, tunnel.program, "wg0", exit_status=7)
    assert found["left_over"]["fix"] == CLEANUP
    tunnel.call("down", "--cleanup", "wg0")
    assert machine.describe(tunnel.host)["resolv.conf"] == before
    assert "no tunnel is running" in tunnel.call("status").stderr


def test_doctor_without_a_name_looks_at_the_machine_and_all_that_run(tunnel):
    look = lambda exit_status: [(finding["tunnel"], finding["check"]) for finding in
                                checkup.findings(tunnel.host, tunnel.program, None,
                                                 exit_status=exit_status)]
    assert look(0) == [(None, "machine")]
    assert "no tunnel is running" in tunnel.call("doctor").stderr
    tunnel.up()
    tunnel.host.write("/run/wg1.conf", CONFIG.replace("51820", "51821"))
    crash.kill(tunnel.host)
    tunnel.call("up", "/run/wg1.conf")
    found = look(7)
    assert found[0] == (None, "left_over") and ("wg1", "settings") in found
    assert ("wg1", "left_over") not in found, "it is said once"
    text = tunnel.call("doctor", exit_status=7).stdout
    assert text.startswith("this machine:\nFAIL left_over: wg0 ") and "\nwg1:\n" in text
    tunnel.call("doctor", "--peer", "laptop", exit_status=2)
    tunnel.call("down", "wg1")
