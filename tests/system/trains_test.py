"""UDP in trains: cables and paths that take them in one piece, and those that do not."""

import pytest

import traffic
import wire
from netns import missing, wait_until
from peers import Simplevpn, WireguardGo, join, same_bytes

OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
SIZE = 4 << 20

pytestmark = pytest.mark.skipif(bool(missing("ethtool")), reason=missing("ethtool"))


def start(left, right, family, outer=None):
    join(left, right, outer or OUTER[family], initiator="left")
    right.start()
    left.start()
    return left, right


def copy_both_ways(peers):
    for source, target in (peers, peers[::-1]):
        for address in (target.ipv4, target.ipv6):
            traffic.copy(source.host, target.host, address, SIZE)


@pytest.mark.parametrize("features, in_one_piece", [
    ((), True),
    (("tx-udp-segmentation", "off"), False),
    (("gso", "off", "gro", "off", "tso", "off", "tx-udp-segmentation", "off"), False),
    (("gro", "on"), True),
], ids=["as it is", "no segmentation", "nothing", "gro"])
@pytest.mark.parametrize("family", [4, 6])
def test_a_copy_arrives_whatever_the_cable_can_do(cable, simplevpn, family, features,
                                                  in_one_piece):
    for host, name in zip(cable, ("right", "left")):
        if features:
            host.run("ethtool", "-K", name, *features)
    peers = start(*(Simplevpn(host, simplevpn) for host in cable), family)
    with wire.Capture(cable[0], "right") as tap:
        copy_both_ways(peers)
    assert (tap.trains > 0) == in_one_piece
    assert peers[0].drops() == {} == peers[1].drops()
    wait_until(lambda: same_bytes(*peers), what="equal counters")


@pytest.mark.parametrize("family", [4, 6])
def test_single_datagrams_of_others_arrive_as_trains(cable, simplevpn, family):
    """Its sockets send singly; with GRO on a cable the kernel joins what it receives."""
    for host, name in zip(cable, ("right", "left")):
        host.run("ethtool", "-K", name, "gro", "on")
    peers = start(Simplevpn(cable[0], simplevpn), WireguardGo(cable[1]), family)
    copy_both_ways(peers)
    assert peers[0].drops() == {}


@pytest.mark.parametrize("family", [4, 6])
def test_a_path_of_1280_gets_fragments_instead(lab, simplevpn, family):
    """No datagram of a full packet fits, so the kernel refuses trains of them, once it knows."""
    hosts = [lab.host(name) for name in ("here", "router", "there")]
    outer = {4: ("192.0.2.1", "198.51.100.2"), 6: ("2001:db8:1::1", "2001:db8:2::2")}[family]
    lab.veth(hosts[0], ["192.0.2.1/24", "2001:db8:1::1/64"],
             hosts[1], ["192.0.2.254/24", "2001:db8:1::fe/64"])
    lab.veth(hosts[1], ["198.51.100.254/24", "2001:db8:2::fe/64"],
             hosts[2], ["198.51.100.2/24", "2001:db8:2::2/64"], mtu=1280)
    hosts[1].sysctl("net.ipv4.ip_forward", 1)
    hosts[1].sysctl("net.ipv6.conf.all.forwarding", 1)
    for host, gateway in ((hosts[0], ("192.0.2.254", "2001:db8:1::fe")),
                          (hosts[2], ("198.51.100.254", "2001:db8:2::fe"))):
        for address in gateway:
            host.ip("route", "add", "default", "via", address)
    peers = start(*(Simplevpn(host, simplevpn, mtu=1420) for host in (hosts[0], hosts[2])),
                  family, outer)
    copy_both_ways(peers)
    assert peers[0].drops() == {} == peers[1].drops()
