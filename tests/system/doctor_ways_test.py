"""`doctor` on where packets go: past the tunnel, into a chain of others, through a narrow place."""

import signal

import checkup
import traffic
from netns import wait_until
from peers import Simplevpn, join
from road import LAN4, reaches

FILE = "/run/wg0.conf"


def complaints(host, program, **options):
    return checkup.complaints(host, program, "wg0", **options)


def mend(host, finding):
    """Does what the finding says."""
    host.run("/bin/sh", "-c", finding["fix"])


def test_everything_past_the_tunnel_is_named(road):
    road.start_server()
    road.cli.replace_file("/etc/resolv.conf", f"nameserver {LAN4}\n")
    road.start_client("up", ipv6=False)
    assert reaches(road.cli, "203.0.114.9")
    found = complaints(road.cli, road.program, exit_status=7)
    assert set(found) == {"scheme", "kill_switch", "ipv6_leak", "dns_leak"}
    assert "TunnelVision" in found["scheme"]["cause"]
    assert "when the daemon dies" in found["kill_switch"]["cause"]
    assert found["ipv6_leak"]["level"] == "FAIL" and LAN4 in found["dns_leak"]["message"]

    road.down()
    road.start_client("client", "--kill-switch", ipv6=False)
    assert reaches(road.cli, "203.0.114.9")
    assert complaints(road.cli, road.program, exit_status=0) == {}
    passed = checkup.passes(road.cli, road.program, "wg0")
    assert {"settings", "kill_switch", "dns", "mtu", "handshake"} <= set(passed)

    road.cli.kill("simplevpn", 9)
    wait_until(lambda: not road.cli.pids("simplevpn"), what="daemon dead")
    found = complaints(road.cli, road.program, exit_status=7)
    assert "simplevpn unblock wg0" in found["block"]["fix"]


def test_name_servers_that_another_program_took_away_are_named(road):
    road.start_server()
    road.cli.replace_file("/etc/resolv.conf", f"nameserver {LAN4}\n")
    road.start_client("client", "--dns-backend", "file", extra="DNS = 10.9.0.1")
    assert reaches(road.cli, "203.0.114.9")
    assert set(complaints(road.cli, road.program, exit_status=0)) == {"kill_switch"}
    names = checkup.passes(road.cli, road.program, "wg0")["dns"]
    assert "set by file" in names["message"]
    road.cli.kill("simplevpn", signal.SIGSTOP)  # or it would put things back
    # Bound, not in an /etc of ours: written in place, as a DHCP client would there.
    road.cli.run("/bin/sh", "-c", f"echo nameserver {LAN4} > /etc/resolv.conf; "
                 "ip route add 192.168.1.9/32 dev up0; "
                 "ip rule add to 192.168.1.9 lookup main prio 1")
    found = complaints(road.cli, road.program, exit_status=7)
    assert "/etc/resolv.conf" in found["settings"]["message"]
    assert LAN4 in found["dns_leak"]["message"] and found["dns_leak"]["level"] == "FAIL"


def test_a_server_whose_forwarding_others_undo_is_told(road):
    road.start_server()
    assert complaints(road.srv, road.program).keys() <= {"silence"}
    assert "forwarding" in checkup.passes(road.srv, road.program, "wg0")
    road.srv.kill("simplevpn", signal.SIGSTOP)  # or it would put things back
    # As when Docker is started later.
    road.srv.run("nft", "table ip filter { chain FORWARD { type filter hook forward priority 0; "
                 "policy drop;\n}\n}")
    found = complaints(road.srv, road.program, exit_status=7)["forwarding"]
    assert "insert rule ip filter FORWARD" in found["fix"]
    mend(road.srv, found)
    road.srv.sysctl("net.ipv4.conf.net0.forwarding", 0)
    found = complaints(road.srv, road.program, exit_status=7)["settings"]
    assert found["fix"] == "sysctl -w net.ipv4.conf.net0.forwarding=1"
    mend(road.srv, found)
    assert "settings" not in complaints(road.srv, road.program)


def test_a_narrow_place_on_the_way_is_found_and_the_fix_fits(lab, simplevpn):
    left, router, right = (lab.host(name) for name in ("left", "router", "right"))
    lab.veth(left, ["192.0.2.1/24"], router, ["192.0.2.254/24"])
    lab.veth(router, ["198.51.100.254/24"], right, ["198.51.100.1/24"], mtu=1400)
    router.sysctl("net.ipv4.ip_forward", 1)
    left.ip("route", "add", "default", "via", "192.0.2.254")
    right.ip("route", "add", "default", "via", "198.51.100.254")
    client, server = Simplevpn(left, simplevpn), Simplevpn(right, simplevpn)
    join(client, server, ("192.0.2.1", "198.51.100.1"), initiator="left")
    server.start()
    client.start()
    assert traffic.ping(left, server.ipv4, count=1).lost == ()
    found = checkup.complaints(left, simplevpn, FILE, exit_status=0)["mtu"]
    assert "carries 1400 bytes" in found["message"] and "mtu 1340" in found["fix"]
    left.ip("link", "set", "dev", "wg0", "mtu", "1340")
    assert "mtu" in checkup.passes(left, simplevpn, FILE)
