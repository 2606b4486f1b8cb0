"""A daemon that is killed: what it leaves, and who undoes it."""

import crash
import machine
from program import Tunnel

CYCLES = 20


def test_a_killed_daemon_leaves_nothing_after_a_clean_up(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    left = [crash.cycle(furnished, simplevpn, ["up", "-f", "/run/wg0.conf"], seed)
            for seed in range(CYCLES)]
    assert any(left)
    tunnel.assert_gone()


def test_with_the_kill_switch_only_the_block_is_left_until_unblock(furnished, simplevpn):
    Tunnel(furnished, simplevpn).write(crash.CONFIG)
    blocked = [crash.cycle_blocked(furnished, simplevpn,
                                   ["client", "--kill-switch", "/run/wg0.conf"], seed)
               for seed in range(CYCLES)]
    assert any(blocked)


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


def test_down_needs_a_name(furnished, simplevpn):
    assert "NAME" in Tunnel(furnished, simplevpn).call("down", exit_status=2).stderr
