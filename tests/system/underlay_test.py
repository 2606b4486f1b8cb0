"""What happens outside: sizes of packets, cables that are too thin, and what a listener sees."""

import shutil

import pytest

import traffic
import wire
from netns import wait_until
from peers import Simplevpn, WireguardGo, join, same_bytes

OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
IPV4_ECHO, IPV6_ECHO = 28, 48  # bytes of a ping around its payload
DATA_OVERHEAD = 32
FROM_HERE, FROM_THERE = (0, 1), (1, 0)


def connect(cable, program, family=4, mtu=None, other=Simplevpn, underlay=1500):
    for host, name in zip(cable, ("right", "left")):
        host.ip("link", "set", "dev", name, "mtu", underlay)
    left = Simplevpn(cable[0], program, mtu=mtu)
    right = other(cable[1], *[program] if other is Simplevpn else [], mtu=mtu)
    join(left, right, OUTER[family], initiator="left")
    right.start()
    left.start()
    return left, right


def full_pings(peers, way, mtu, count=10):
    """Pings as large as the tunnel allows, with both families inside. Answers are as large."""
    source, target = (peers[i] for i in way)
    for address, overhead in ((target.ipv4, IPV4_ECHO), (target.ipv6, IPV6_ECHO)):
        result = traffic.ping(source.host, address, count=count, size=mtu - overhead)
        assert result.lost == ()


# ---- MTU ----

@pytest.mark.parametrize("other", [Simplevpn, WireguardGo], ids=["ours", "theirs"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_default_mtu_fills_an_underlay_of_1500_without_fragments(cable, simplevpn, family,
                                                                     other):
    peers = connect(cable, simplevpn, family, other=other)
    assert "mtu 1420" in peers[0].host.ip("link", "show", "dev", "wg0")
    with wire.Capture(cable[0], "right") as tap:
        for way in (FROM_HERE, FROM_THERE):
            full_pings(peers, way, 1420)
        wait_until(lambda: tap.kinds()[wire.DATA] >= 80, what="data on the cable")
    datagrams = [d for d in tap.datagrams() if d.kind == wire.DATA]
    assert max(len(d.payload) for d in datagrams) == 1420 + DATA_OVERHEAD
    assert not any(d.fragment for d in datagrams)
    for source, target in (peers, peers[::-1]):
        traffic.copy(source.host, target.host, target.ipv6, 4 << 20)


@pytest.mark.parametrize("mtu, underlay", [(1280, 1500), (1280, 1360), (9000, 9100)])
@pytest.mark.parametrize("other", [Simplevpn, WireguardGo], ids=["ours", "theirs"])
def test_other_mtus_work(cable, simplevpn, mtu, underlay, other):
    peers = connect(cable, simplevpn, 6, mtu=mtu, underlay=underlay, other=other)
    with wire.Capture(cable[0], "right") as tap:
        for way in (FROM_HERE, FROM_THERE):
            full_pings(peers, way, mtu)
        wait_until(lambda: tap.kinds()[wire.DATA] >= 80, what="data on the cable")
    assert not any(d.fragment for d in tap.datagrams())
    assert max(len(d.payload) for d in tap.datagrams()) == mtu + DATA_OVERHEAD
    for source, target in (peers, peers[::-1]):
        traffic.copy(source.host, target.host, target.ipv4, 4 << 20)


@pytest.mark.parametrize("family", [4, 6])
def test_a_cable_that_is_too_thin_loses_nothing(cable, simplevpn, family):
    """MTU 1420 over 1400: a socket that forbids fragments would get EMSGSIZE and lose the packet
    unseen. Ours allows them."""
    peers = connect(cable, simplevpn, family, mtu=1420, underlay=1400)
    with wire.Capture(cable[0], "right") as tap:
        for way in (FROM_HERE, FROM_THERE):
            full_pings(peers, way, 1420)
        wait_until(lambda: sum(d.fragment for d in tap.datagrams()) >= 80, what="fragments")
    for source, target in (peers, peers[::-1]):
        traffic.copy(source.host, target.host, target.ipv4, 4 << 20)
    assert peers[0].drops() == {} == peers[1].drops()
    wait_until(lambda: same_bytes(*peers), what="equal byte counters")


@pytest.mark.parametrize("family", [4, 6])
def test_a_thin_cable_further_on_is_found_out(lab, simplevpn, family):
    """With IPv6 the router may not cut a packet up: it says so, and the next one gets through."""
    hosts = [lab.host(name) for name in ("here", "router", "there")]
    outer = {4: ("192.0.2.1", "198.51.100.2"), 6: ("2001:db8:1::1", "2001:db8:2::2")}[family]
    lab.veth(hosts[0], ["192.0.2.1/24", "2001:db8:1::1/64"],
             hosts[1], ["192.0.2.254/24", "2001:db8:1::fe/64"])
    lab.veth(hosts[1], ["198.51.100.254/24", "2001:db8:2::fe/64"],
             hosts[2], ["198.51.100.2/24", "2001:db8:2::2/64"], mtu=1400)
    hosts[1].sysctl("net.ipv4.ip_forward", 1)
    hosts[1].sysctl("net.ipv6.conf.all.forwarding", 1)
    for host, gateway in ((hosts[0], ("192.0.2.254", "2001:db8:1::fe")),
                          (hosts[2], ("198.51.100.254", "2001:db8:2::fe"))):
        for address in gateway:
            host.ip("route", "add", "default", "via", address)
    peers = tuple(Simplevpn(host, simplevpn, mtu=1420) for host in (hosts[0], hosts[2]))
    join(*peers, outer, initiator="left")
    peers[1].start()
    peers[0].start()
    traffic.ping(hosts[0], peers[1].ipv4, size=1420 - IPV4_ECHO)  # may be the one that is refused
    for way in (FROM_HERE, FROM_THERE):
        full_pings(peers, way, 1420)


# ---- what a listener sees ----

MARK = b"In plain sight. "


def test_a_listener_sees_four_kinds_of_message_and_no_plaintext(cable, simplevpn, tmp_path):
    peers = connect(cable, simplevpn)
    pattern = MARK.hex()
    with wire.Capture(cable[0], "right") as tap, wire.Capture(cable[0], "wg0") as inside:
        for address in (peers[1].ipv4, peers[1].ipv6):
            cable[0].run("ping", "-n", "-c20", "-i0.01", "-p", pattern, "-s800", address)
        wait_until(lambda: tap.kinds()[wire.DATA] >= 80, what="data on the cable")
    assert any(MARK in frame for _, frame in inside.frames())  # so that one would notice
    assert not any(MARK in frame for _, frame in tap.frames())
    udp = tap.datagrams()
    assert {d.kind for d in udp} <= {wire.INITIATION, wire.RESPONSE, wire.COOKIE, wire.DATA}
    assert {d.kind for d in udp} >= {wire.DATA}
    addresses = {end for d in udp for end in (d.source[0], d.target[0])}
    assert addresses == set(OUTER[4])
    if shutil.which("tshark"):
        assert set(wire.tshark_kinds(tap, tmp_path / "cable.pcap")) == {d.kind for d in udp}


def test_lengths_on_the_wire_are_padded_to_sixteen(cable, simplevpn):
    peers = connect(cable, simplevpn)
    with wire.Capture(cable[0], "right") as tap:
        for size in range(1, 40):
            assert traffic.ping(cable[0], peers[1].ipv4, size=size).lost == ()
        wait_until(lambda: tap.kinds()[wire.DATA] >= 78, what="data on the cable")
    assert all(len(d.payload) % 16 == 0 for d in tap.datagrams() if d.kind == wire.DATA)
