"""Everything through the tunnel, by each scheme: who still answers; and what a server forwards.
What leaves in which state stands in leak_test.py, what attackers make of it in attacks_test.py."""

import socket

import pytest

import wire
from netns import wait_until
from road import INET4, LAN4, LAN6, PORT, SERVER4, SERVER6, reaches, sent

SCHEMES = {"wg-quick": ("up",), "strict": ("client",), "split": ("client", "--split")}
OURS = ("192.168.1.5", "2001:db8:1::5", "10.9.0.2", "fd09::2", "172.17.0.2")
SERVER = {(SERVER4, socket.IPPROTO_UDP, PORT)}
schemes = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)


@pytest.fixture
def ready(road):
    """The same with a server."""
    road.start_server()
    return road


@schemes
@pytest.mark.parametrize("endpoint", [f"{SERVER4}:{PORT}", f"[{SERVER6}]:{PORT}"], ids=["4", "6"])
def test_both_families_go_inside_and_only_datagrams_to_the_server_outside(ready, scheme, endpoint):
    with wire.Capture(ready.cli, "up0") as tap:
        ready.start_client(*scheme, endpoint=endpoint)
        assert reaches(ready.cli, "203.0.114.9") and reaches(ready.cli, "2001:db8:4::9")
    outside = SERVER4 if endpoint.startswith("1") else SERVER6
    assert sent(tap, OURS) == {(outside, socket.IPPROTO_UDP, PORT)}


@pytest.mark.parametrize("rp_filter", [0, 1, 2])
@pytest.mark.parametrize("flags", [(), ("--kill-switch",)], ids=["open", "blocked"])
def test_every_rp_filter_lets_answers_in(ready, rp_filter, flags):
    for scope in ("all", "default", "up0"):
        ready.cli.sysctl(f"net.ipv4.conf.{scope}.rp_filter", rp_filter)
    ready.start_client("client", *flags)
    assert reaches(ready.cli, "203.0.114.9")
    ready.rtr.ip("neighbour", "flush", "dev", "br0")  # the router has to ask who we are
    assert reaches(ready.cli, "203.0.114.9")
    mark = ready.cli.read("/proc/sys/net/ipv4/conf/all/src_valid_mark").strip()
    assert mark == ("1" if rp_filter == 1 else "0")
    ready.down()
    assert ready.cli.read("/proc/sys/net/ipv4/conf/all/src_valid_mark").strip() == "0"


def test_a_container_is_reached_and_its_packets_go_inside(ready):
    container = ready.add_container()
    assert reaches(container, INET4)
    ready.start_client("client")
    with wire.Capture(ready.cli, "up0") as tap:
        assert reaches(ready.cli, "172.17.0.2")
        assert reaches(container, "203.0.114.9")
        assert reaches(container, INET4)
    assert sent(tap, OURS) == SERVER


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(host, address, port):
    with host.network():
        return socket.create_server((address, port), family=family(address))


def call(host, address, port):
    with host.network():
        return socket.create_connection((address, port), timeout=5)


def still_talk(left, right):
    for source, target in ((left, right), (right, left)):
        source.sendall(b"still there?")
        target.settimeout(5)
        assert target.recv(64) == b"still there?"


CALLED = {"4": ("0.0.0.0", "192.168.1.5", LAN4, 0), "4-strict": ("0.0.0.0", "192.168.1.5", LAN4, 1),
          "6": ("::", "2001:db8:1::5", LAN6, 0)}
called = pytest.mark.parametrize("any_address, address, caller, rp_filter", CALLED.values(),
                                 ids=CALLED)


@called
@pytest.mark.parametrize("scheme", [("client",), ("client", "--split")], ids=["strict", "split"])
def test_who_called_from_the_local_network_before_and_after_is_still_answered(
        ready, any_address, address, caller, rp_filter, scheme):
    ready.cli.sysctl("net.ipv4.conf.all.rp_filter", rp_filter)
    with listen(ready.cli, any_address, 2222) as door, \
            call(ready.lan, address, 2222) as before:
        host_side, _ = door.accept()
        ready.start_client(*scheme)
        with host_side:
            still_talk(host_side, before)
        with call(ready.lan, address, 2222) as after:
            host_side, _ = door.accept()
            with host_side:
                still_talk(host_side, after)
    assert reaches(ready.cli, caller) == ("--split" in scheme)


@called
def test_a_datagram_from_the_local_network_is_answered(ready, any_address, address, caller,
                                                       rp_filter):
    ready.cli.sysctl("net.ipv4.conf.all.rp_filter", rp_filter)
    ready.start_client("client")
    with ready.cli.network():
        server = socket.socket(family(address), socket.SOCK_DGRAM)
    with ready.lan.network():
        asker = socket.socket(family(address), socket.SOCK_DGRAM)
    with server, asker:
        server.bind((address, 2222))  # of any address it would answer with the tunnel's
        for each in (server, asker):
            each.settimeout(5)
        asker.connect((address, 2222))
        asker.send(b"who is there?")
        question, origin = server.recvfrom(64)
        assert origin[0] == caller
        server.sendto(question, origin)
        assert asker.recv(64) == question


def test_a_tunnel_to_one_network_starts_where_proc_sys_is_read_only(ready):
    """As in a container. A tunnel for everything would be found by neighbours, and is refused."""
    for options in ("bind", "remount,bind,ro"):
        ready.cli.run("mount", "-o", options, "/proc/sys", "/proc/sys")
    ready.start_client("up", allowed="10.9.0.0/24")
    assert reaches(ready.cli, "10.9.0.1")
    ready.down()
    refused = ready.cli.run(ready.program, "client", "/run/wg0.conf", check=False)
    assert refused.returncode == 4 and "Read-only file system" in refused.stderr


# ---- server ----

def advertise(host, interface):
    """One router advertisement from `host`, as radvd sends it."""
    message = bytes([134, 0, 0, 0, 64, 0]) + (1800).to_bytes(2, "big") + bytes(8)
    with host.network(), socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                       socket.IPPROTO_ICMPV6) as raw:
        index = socket.if_nametoindex(interface)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        raw.sendto(message, ("ff02::1", 0, 0, index))


def test_a_default_route_by_advertisement_survives_a_server(road):
    srv = road.srv
    srv.ip("-6", "route", "del", "default")
    srv.sysctl("net.ipv6.conf.net0.accept_ra", 1)
    def advertised():
        advertise(road.inet, "net0")
        return "proto ra" in srv.ip("-6", "route", "show", "default")
    wait_until(advertised, what="route by advertisement")
    server = road.start_server()
    assert "proto ra" in srv.ip("-6", "route", "show", "default")
    road.start_client("client")
    assert reaches(road.cli, "2001:db8:4::9", count=3, patience=5)
    road.down()
    server.terminate()
    server.wait(timeout=10)
    assert "proto ra" in srv.ip("-6", "route", "show", "default")
    assert srv.read("/proc/sys/net/ipv6/conf/net0/accept_ra").strip() == "1"


def test_a_server_forwards_by_interface_and_translates(ready):
    ready.start_client("client")
    with wire.Capture(ready.inet, "net0") as tap:
        assert reaches(ready.cli, "203.0.114.9") and reaches(ready.cli, "2001:db8:4::9")
    assert sent(tap, ("203.0.114.1", "2001:db8:4::1")) >= {("203.0.114.9", 1, 0)}
    assert not sent(tap, OURS)
    for setting in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
        assert ready.srv.read(f"/proc/sys/{setting}").strip() == "0"
    assert ready.srv.read("/proc/sys/net/ipv4/conf/net0/forwarding").strip() == "1"


@pytest.mark.parametrize("port, moved", [(PORT, ""), (None, ""), (PORT, "40000")],
                         ids=["fixed", "any", "moved"])
def test_a_servers_own_port_is_nobodys_source(road, port, moved):
    """Port shadowing (CVE-2021-3773): what it got first, a client would get of the others'."""
    road.start_server(port=port)
    if moved:
        road.srv.run("wg", "set", "wg0", "listen-port", moved)
    own = int(road.srv.run("wg", "show", "wg0", "listen-port").stdout)
    road.start_client("client", endpoint=f"{SERVER4}:{own}")
    assert reaches(road.cli, "203.0.114.9")
    with road.cli.network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("10.9.0.2", own))
        with wire.Capture(road.inet, "net0") as tap:
            udp.sendto(b"shadow", ("203.0.114.9", 7))
            found = wait_until(lambda: [d for d in tap.datagrams() if d.payload == b"shadow"],
                               what="datagram")
    assert found[0].source[0] == "203.0.114.1" and found[0].source[1] != own


def test_a_servers_network_may_ask_it_and_not_in_a_clients_name(road):
    road.start_server()
    road.inet.ip("route", "add", "10.9.0.1", "via", "203.0.114.1")
    road.inet.ip("address", "add", "10.9.0.2/32", "dev", "lo")
    with road.srv.network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind(("10.9.0.1", 9))
        asked.settimeout(5)
        for source in ("10.9.0.2", "203.0.114.9"):
            with road.inet.network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind((source, 0))
                udp.sendto(source.encode(), ("10.9.0.1", 9))
        assert asked.recv(99) == b"203.0.114.9"


DROPS = {
    "policy": "table inet ufw { chain forward { type filter hook forward priority 0; "
              "policy drop; }\n }",
    "docker": "table ip filter { chain DOCKER-USER { }\n chain FORWARD { "
              "type filter hook forward priority 0; policy drop; jump DOCKER-USER; }\n }",
    "reject": "table inet firewalld { chain forward { type filter hook forward priority 0; "
              "counter reject with icmpx type admin-prohibited; }\n }",
}


@pytest.mark.parametrize("rules", DROPS.values(), ids=DROPS)
def test_a_chain_of_others_that_drops_gets_two_rules_and_loses_them_again(road, rules):
    road.srv.run("nft", rules)
    before = road.srv.run("nft", "-s", "list", "ruleset").stdout
    server = road.start_server()
    road.start_client("client")
    assert reaches(road.cli, "203.0.114.9")
    assert road.srv.run("nft", "list", "ruleset").stdout.count('comment "simplevpn wg0') == 2
    server.terminate()
    server.wait(timeout=10)
    assert road.srv.run("nft", "-s", "list", "ruleset").stdout == before


def test_no_foreign_rules_leaves_chains_of_others_alone(road):
    road.srv.run("nft", DROPS["policy"])
    road.start_server("--no-foreign-rules")
    road.start_client("client")
    assert not reaches(road.cli, "203.0.114.9")
    assert "simplevpn" not in road.srv.run("nft", "list", "ruleset").stdout


def test_a_client_takes_the_hosts_of_an_interface_along(ready):
    guest = ready.lab.host("guest")
    ready.lab.veth(guest, "10.50.0.2/24", ready.cli, "10.50.0.1/24", names=("eth0", "lan0"))
    guest.ip("route", "add", "default", "via", "10.50.0.1")
    with wire.Capture(ready.cli, "up0") as tap:
        ready.start_client("client", "--share", "lan0", "--kill-switch")
        assert reaches(guest, "203.0.114.9")
        assert reaches(ready.cli, "10.50.0.2")
    assert sent(tap, (*OURS, "10.50.0.2")) == SERVER
