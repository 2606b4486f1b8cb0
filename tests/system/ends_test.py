"""Whoever ends a tunnel for everything, with name servers of its own: all of it is undone, and with
the kill switch only the block stays. `wg-quick down` stands in tun_test.py, a crash in
crash_test.py."""

import signal

import pytest

import crash
import machine
from netns import wait_until

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
    end(host)
    assert process.wait(timeout=10) == status
    after = machine.describe(host)
    if blocks:
        crash.assert_only_blocked(before, after, "at the end")
        host.run(simplevpn, "unblock", "wg0")
        after = machine.describe(host)
    assert not machine.differences(before, after)
