"""Attacks on a client's routes, addresses and names, each by its name, with the case in which it
works: without a tunnel, or under a scheme that does not claim to withstand it."""

import contextlib
import socket
import struct

import pytest

from leaks import CANARY, Programs, Watch, probes
from names import NameServer
from netns import wait_until
from proof import (BLOCKED, CLI4, CLI6, INTERNET, LAN_ULA, LOCAL_PUBLIC, OF_CLIENT, RESOLVER,
                   TO_SERVER, TUNNEL, outside, road, sent, shared)  # noqa: F401  (fixtures)
from road import INET4, INET6, LAN4, PORT, SERVER4

SCHEMES = {"wg-quick": ("up",), "strict": ("client",), "split": ("client", "--split"),
           "kill-switch": ("client", "--kill-switch")}
TUNNEL_ADDRESSES = ("10.9.0.2", "fd09::2")


@contextlib.contextmanager
def said(host, *commands):
    """`ip COMMAND add ...`, and taken back."""
    for command in commands:
        host.ip(*command.split())
    try:
        yield
    finally:
        for command in commands:
            host.ip(*command.replace(" add ", " del ").split())


@contextlib.contextmanager
def addressed(host):
    """A host that has the tunnel's addresses, and takes what is sent to them, without a tunnel."""
    with said(host, "address add 10.9.0.2/32 dev lo", "-6 address add fd09::2/128 dev lo nodad"):
        wait_until(lambda: "fd09::2" in host.ip("-6", "route", "show", "table", "local"),
                   what="the kernel takes datagrams to the new address")
        yield


# ---- routes ----

INJECTED = {
    "network": ("-4 route add 203.0.113.0/24 via 192.168.1.1 dev up0",
                "-6 route add 2001:db8:3::/64 via 2001:db8:1::1 dev up0"),
    "host": ("-4 route add 203.0.113.9/32 via 192.168.1.1 dev up0",
             "-6 route add 2001:db8:3::9/128 via 2001:db8:1::1 dev up0"),
    "halves": ("-4 route add 0.0.0.0/1 via 192.168.1.1 dev up0",
               "-4 route add 128.0.0.0/1 via 192.168.1.1 dev up0",
               "-6 route add ::/1 via 2001:db8:1::1 dev up0",
               "-6 route add 2000::/3 via 2001:db8:1::1 dev up0"),
}


@pytest.mark.parametrize("routes", INJECTED.values(), ids=INJECTED)
@pytest.mark.parametrize("command, leaks", [
    (("up",), True), (("client",), False), (BLOCKED, False)], ids=["wg-quick", "strict", "block"])
def test_tunnelvision_routes_of_a_dhcp_server(road, command, leaks, routes):
    """CVE-2024-3661. Without `dev` the gateway would be looked up through our own rule."""
    road.start_client(*command)
    with said(road.cli, *routes):
        for route in routes:
            family, _, _, prefix, *_ = route.split()
            assert "dev up0" in road.cli.ip(family, "route", "show", prefix)
        found = sent(road, INTERNET)
    assert found - TUNNEL == (outside(INTERNET) if leaks else set())


@pytest.mark.parametrize("command, leaks", [
    (("up",), True), (("client", "--lan"), False), ((*BLOCKED, "--lan"), False)],
    ids=["wg-quick", "lan", "block-lan"])
@pytest.mark.parametrize("early", [True, False], ids=["before", "later"])
def test_localnet_a_public_network_that_is_said_to_be_local(road, command, leaks, early):
    """TunnelCrack, CVE-2023-36672: the neighbour answers for addresses of the Internet."""
    theirs = said(road.lan, f"address add {INET4}/24 dev up0",
                  f"-6 address add {INET6}/64 dev up0 nodad")
    local = said(road.cli, "address add 203.0.113.5/24 dev up0",
                 "-6 address add 2001:db8:3::5/64 dev up0 nodad")
    with theirs:
        if not early:
            road.start_client(*command)
        with local:
            if early:
                road.start_client(*command)
            found = sent(road, INTERNET)
    there = outside(INTERNET, four="203.0.113.5", six="2001:db8:3::5")
    assert found - TUNNEL == (there if leaks else set())


@pytest.mark.parametrize("command", [("up",), ("client",), BLOCKED],
                         ids=["wg-quick", "strict", "block"])
def test_serverip_a_name_that_leads_to_somebody_else(road, command):
    """TunnelCrack, CVE-2023-36673: only our own datagrams go there, unreadable."""
    tried = INTERNET | {(INET4, "udp", PORT), (INET4, "udp", PORT + 1)}
    ours = (CLI4, INET4, "udp", PORT)
    assert outside(tried) <= sent(road, tried)
    road.resolver.tell({"vpn.test": [INET4]})
    with Watch({name: (road.cli, name) for name in ("up0", "up1")}) as watch, \
            watch.phase("all"):
        road.start_client(*command, endpoint=f"vpn.test:{PORT}")
        wait_until(lambda: ours in {flow for flow, _ in watch.taps["up0"].packets()},
                   what="a datagram to the wrong server")
        with Programs(road.cli, tried) as programs:
            programs.rounds()
    road.resolver.tell({})
    assert {ours} <= watch.sent("all", "up0") <= {ours, (CLI4, RESOLVER, "udp", 53)}
    assert not watch.sent("all", "up1") and not watch.canaries("all", "up0")


@pytest.mark.parametrize("command", SCHEMES.values(), ids=SCHEMES)
def test_serverip_others_on_the_way_to_the_server(road, command):
    assert outside(TO_SERVER) <= sent(road, TO_SERVER)
    road.start_client(*command)
    with Watch({"up0": (road.cli, "up0")}) as watch, Programs(road.cli, TO_SERVER) as programs, \
            Programs(road.container, TO_SERVER) as contained, watch.phase("now"):
        programs.rounds()
        contained.rounds()
    assert watch.sent("now", "up0") <= TUNNEL and not watch.canaries("now", "up0")


@pytest.mark.parametrize("command, kept", [
    (("client",), set()), (BLOCKED, set()), (("client", "--split"), LOCAL_PUBLIC)],
    ids=["strict", "block", "split"])
def test_ipv6_of_a_tunnel_without_it(road, command, kept):
    tried = {probe for probe in OF_CLIENT if ":" in probe[0] and probe[0] != LAN_ULA}
    wait_until(lambda: sent(road, tried) == outside(tried), what="all of it outside")
    road.start_client(*command, ipv6=False)
    assert sent(road, tried) - TUNNEL == outside(kept)


# ---- neighbours ----

@pytest.mark.parametrize("command, allowed", [
    *((command, None) for command in SCHEMES.values()), (("up",), "10.9.0.0/24, fd09::/64"),
    (("up",), "10.77.0.0/16")], ids=[*SCHEMES, "inside-only", "one-network"])
def test_probes_of_the_tunnels_address_and_arp_for_it(road, command, allowed):
    """CVE-2019-14899."""
    ways = ("route add 10.9.0.2/32 via 192.168.1.5", "-6 route add fd09::2/128 via 2001:db8:1::5")
    tried = probes(*TUNNEL_ADDRESSES) | {("10.9.0.2", "udp", 40001)}
    with said(road.lan, *ways):
        if command == ("up",) and allowed is None:  # once: the attack works
            with addressed(road.cli):
                answers = sent(road, tried, by=road.lan)
            assert {flow[0] for flow in answers} >= {*TUNNEL_ADDRESSES}
        road.start_client(*command, allowed=allowed)
        assert sent(road, tried, by=road.lan) <= TUNNEL
    road.lan.ip("neighbour", "flush", "dev", "up0")  # what it learnt when the attack worked
    with said(road.lan, "address add 10.9.0.77/24 dev up0",
              "-6 address add fd09::77/64 dev up0 nodad"):
        assert sent(road, tried, by=road.lan) <= TUNNEL
        for address in TUNNEL_ADDRESSES:
            assert "lladdr" not in road.lan.ip("neighbour", "show", address)


# ---- fragments that a neighbour forges ----

INSIDE = (("10.9.0.1", "10.9.0.2"), ("fd09::1", "fd09::2"))


def datagram(source, target, ports, payload):
    """A UDP datagram with its sum."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    data = ends + struct.pack("!HH", 17, len(udp)) + udp + bytes(len(udp) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return udp[:6] + struct.pack("!H", (~total & 0xffff) or 0xffff) + udp[8:]


def pieces(udp):
    """Ways to cut it, each (offset, bytes, more to come) of its fragments: as it should be, without
    a whole header, without the beginning, without the end, and with two who overlap."""
    end = (16, udp[16:], False)
    return ([(0, udp[:16], True), end], [(0, udp[:4], True), end], [end], [(0, udp[:16], True)],
            [(0, udp[:24], True), (8, bytes(8) + udp[16:], False)])


def packet(source, target, number, piece):
    offset, part, more = piece
    if ":" in source:
        return struct.pack("!IHBB", 6 << 28, 8 + len(part), 44, 64) + b"".join(
            socket.inet_pton(socket.AF_INET6, end) for end in (source, target)) + \
            struct.pack("!BBHI", 17, 0, offset | more, number) + part
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, number, more << 13 | offset >> 3, 64, 17, 0) + \
        socket.inet_aton(source) + socket.inet_aton(target) + part


def forge(road, flows):
    """All cuts of a datagram of each flow (source, target, (port, port)), from the neighbour; the
    kernel sums the headers. Returns when a last datagram of each IP, which nobody forged, has come
    behind them, also behind a search for the neighbour."""
    number = 0
    with contextlib.ExitStack() as stack:
        def opened(host, family, kind, protocol=0):
            with host.network():
                return stack.enter_context(socket.socket(family, kind, protocol))

        last = {CLI4: opened(road.cli, socket.AF_INET, socket.SOCK_DGRAM),
                CLI6: opened(road.cli, socket.AF_INET6, socket.SOCK_DGRAM)}
        for address, own in last.items():
            own.bind((address, 40002))
            own.settimeout(10)
        four = opened(road.lan, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        six = opened(road.lan, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        for source, target, ports in flows:
            for cut in pieces(datagram(source, target, ports, CANARY)):
                number += 1
                for piece in cut:
                    (six if ":" in target else four).sendto(
                        packet(source, target, number, piece), (target, 0))
        for address, own in last.items():
            opened(road.lan, own.family, socket.SOCK_DGRAM).sendto(b"last", (address, 40002))
            assert own.recv(16) == b"last"


def heard(road, flows):
    """The tunnel's addresses that get something of it."""
    with contextlib.ExitStack() as listening, road.cli.network():
        sockets = {}
        for _, address in INSIDE:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            own = listening.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            own.bind((address, 40001))
            own.setblocking(False)
            sockets[address] = own
        forge(road, flows)
        found = set()
        for address, own in sockets.items():
            with contextlib.suppress(BlockingIOError):
                assert own.recv(512) == CANARY
                found.add(address)
        return found


def timeouts(host):
    """Datagrams whose fragments never became whole."""
    lines = [line.split() for line in host.read("/proc/net/snmp").splitlines()
             if line.startswith("Ip:")]
    return int(dict(zip(*lines))["ReasmTimeout"])


def test_fragments_that_a_neighbour_forges(road):
    """To the tunnel's address (CVE-2019-14899), and as if they came from the server."""
    inside = [(*ends, (7, 40001)) for ends in INSIDE]
    switch = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    if road.rtr.exists(switch):  # a router that puts fragments together on its bridge
        road.rtr.run("sh", "-c", f"echo 0 >{switch}")
    ways = ("route add 10.9.0.2/32 via 192.168.1.5", "-6 route add fd09::2/128 via 2001:db8:1::5")
    with said(road.lan, *ways):
        with addressed(road.cli):
            assert heard(road, inside) == set(TUNNEL_ADDRESSES)  # the attack works
        road.start_server()
        road.start_client(*BLOCKED)
        port = int(road.cli.run("wg", "show", "wg0", "listen-port").stdout)
        forged = [*inside, *((INET4, address, (53, 40001)) for address in TUNNEL_ADDRESSES[:1]),
                  (SERVER4, CLI4, (PORT, port)), (SERVER4, CLI4, (PORT, 40001))]
        road.cli.sysctl("net.ipv4.ipfrag_time", 1)
        try:
            with Watch({"up0": (road.cli, "up0")}) as watch, \
                    Programs(road.cli, INTERNET) as programs, watch.phase("forged"):
                programs.reach(INTERNET)
                before = timeouts(road.cli)
                assert heard(road, forged) == set()
                wait_until(lambda: timeouts(road.cli) > before, what="what is missing is given up")
                programs.reach(INTERNET)
        finally:
            road.cli.sysctl("net.ipv4.ipfrag_time", 30)
    assert watch.sent("forged", "up0") <= TUNNEL and not watch.canaries("forged", "up0")


# ---- names ----

def ask(road):
    """A program that looks a name up; it waits for long."""
    return road.cli.popen("getent", "ahostsv4", "secret.test")


@pytest.mark.parametrize("command", [("client",), BLOCKED], ids=["open", "block"])
def test_names_are_asked_inside_or_not_at_all(road, command):
    """Resolvers on the local network and on the Internet are asked nothing, also while the one
    inside cannot be reached; after a crash the file still names it, until a clean-up."""
    neighbour = NameServer(road.lan, LAN4, {})
    road.resolver.asked()
    before = road.cli.read("/etc/resolv.conf")
    road.start_client(*command, extra="DNS = 10.9.0.1")
    question = (CLI4, "10.9.0.1", "udp", 53)
    with Watch({"up0": (road.cli, "up0"), "up1": (road.cli, "up1")}) as watch, \
            Programs(road.cli, set()) as programs:
        with watch.phase("connecting"), ask(road) as asking:
            programs.rounds()
            asking.kill()
        road.kill_client()
        with watch.phase("killed"), ask(road) as asking:
            if command == BLOCKED:
                programs.rounds()
            else:
                tap = watch.taps["up0"]
                wait_until(lambda: question in {flow for flow, _ in tap.packets()}, what="question")
            asking.kill()
    assert watch.sent("connecting", "up0") | watch.sent("connecting", "up1") <= TUNNEL
    assert watch.sent("killed", "up0") == (set() if command == BLOCKED else {question})
    assert "10.9.0.1" in road.cli.read("/etc/resolv.conf")
    assert (neighbour.asked(), road.resolver.asked()) == (set(), set())
    road.cli.run(road.program, "down", "--cleanup")
    assert road.cli.read("/etc/resolv.conf") == before
    neighbour.process.kill()
    if command == BLOCKED:
        road.cli.run(road.program, "unblock")
    road.resolver.tell({"secret.test": ["198.51.100.7"]})
    assert "198.51.100.7" in road.cli.run("getent", "ahostsv4", "secret.test").stdout
    road.resolver.tell({})
