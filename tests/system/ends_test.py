"""Whoever ends a tunnel for everything, with name servers of its own: all of it is undone, and with
the kill switch only the block stays. `wg-quick down` stands in tun_test.py, a crash in
crash_test.py."""

import signal

import pytest

import crash
import machine
from netns import wait_until
from program import PEER, Tunnel

ENDPOINTS = "/var/lib/simplevpn/wg0.endpoints"

# What ends it, and the daemon's exit status.
ENDS = {
    "socket": (lambda host: host.run("rm", "/run/wireguard/wg0.sock"), 0),
    "link": (lambda host: host.ip("link", "del", "wg0"), 1),
    "signal": (lambda host: host.kill("simplevpn", signal.SIGTERM), 0),
    "interrupt": (lambda host: host.kill("simplevpn", signal.SIGINT), 130),
}


@pytest.mark.parametrize("end, status", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("blocks", [False, True], ids=["open", "kill-switch"])
def test_whoever_ends_a_tunnel_everything_is_undone(furnished, simplevpn, end, status, blocks):
    host = furnished
    host.write(crash.FILE, crash.CONFIG)
    before = machine.describe(host)
    process = host.popen(simplevpn, "client", crash.FILE, *(["--kill-switch"] if blocks else []))
    wait_until(lambda: "10.9.0.53" in host.read("/etc/resolv.conf") and
               host.run(simplevpn, "status", "wg0", check=False).returncode == 0, what="up")
    running = machine.describe(host)
    for fact in ("addresses", "routes v4", "routes v6", "rules v4", "rules v6", "packet filter",
                 "settings", "resolv.conf", "sockets", "state"):
        assert running[fact] != before[fact], fact
    host.write(ENDPOINTS, f"{PEER} 192.0.2.2:51820\n")  # as if it had spoken
    end(host)
    assert process.wait(timeout=10) == status
    after = machine.describe(host)
    if blocks:
        crash.assert_only_blocked(before, after, "at the end")
        host.run(simplevpn, "unblock", "wg0")
        after = machine.describe(host)
    assert not machine.differences(before, after)


@pytest.mark.parametrize("end, kept", [
    (lambda tunnel: tunnel.call("down", "wg0"), False),
    (lambda tunnel: tunnel.host.kill("simplevpn", signal.SIGTERM), True),
    (lambda tunnel: tunnel.host.kill("simplevpn", signal.SIGKILL), True)],
    ids=["down", "stopped", "killed"])
def test_a_service_finds_its_peers_again_unless_somebody_says_down(furnished, simplevpn, end, kept):
    """A service manager stops what it restarts, and cleans up in between."""
    before = machine.describe(furnished)
    tunnel = Tunnel(furnished, simplevpn)
    daemon = furnished.popen("env", "NOTIFY_SOCKET=/run/nobody", simplevpn, "up", "-f", crash.FILE)
    wait_until(lambda: furnished.run(simplevpn, "status", "wg0", check=False).returncode == 0,
               what="up")
    furnished.write(ENDPOINTS, f"{PEER} 192.0.2.2:51820\n")
    tunnel.call("down", "--cleanup")  # of dead tunnels
    assert furnished.exists(ENDPOINTS)
    end(tunnel)
    daemon.wait(timeout=10)
    crash.kill(furnished)
    furnished.run("env", "SERVICE_RESULT=success", simplevpn, "down", "--cleanup", "wg0")
    assert furnished.exists(ENDPOINTS) == kept
    tunnel.call("down", "--cleanup")
    assert not machine.differences(before, machine.describe(furnished))
