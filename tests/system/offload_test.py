"""Superpackets between the local IP stack and the tunnel. The interface's own counters tell: they
count a superpacket as one packet, so packets that are longer than the MTU on average were such."""

import json
import socket

import pytest

import traffic
from netns import missing, wait_until
from peers import Simplevpn, WireguardGo, join

MTU = 1420
SOL_UDP, UDP_SEGMENT = 17, 103
SIZE = 32 << 20


def connect(cable, program, other=Simplevpn):
    left = Simplevpn(cable[0], program)
    right = other(cable[1], *[program] if other is Simplevpn else [])
    join(left, right, ("192.0.2.1", "192.0.2.2"), initiator="left")
    right.start()
    left.start()
    return left, right


class Lengths:
    """Mean length of the packets that the kernel gave to the tunnel ("tx") or got ("rx")."""

    def __init__(self, peer):
        self._host, self._before = peer.host, self._now(peer.host)

    @staticmethod
    def _now(host):
        return json.loads(host.ip("-j", "-s", "link", "show", "dev", "wg0"))[0]["stats64"]

    def mean(self, way):
        now, before = (each[way] for each in (self._now(self._host), self._before))
        return (now["bytes"] - before["bytes"]) / (now["packets"] - before["packets"])


@pytest.mark.parametrize("other", [Simplevpn, WireguardGo], ids=["ours", "theirs"])
def test_tcp_goes_in_superpackets_and_arrives_as_it_was(cable, simplevpn, other):
    ours, theirs = connect(cable, simplevpn, other)
    for address in ("ipv4", "ipv6"):
        given, taken = Lengths(ours), Lengths(ours)
        traffic.copy(ours.host, theirs.host, getattr(theirs, address), SIZE)
        assert given.mean("tx") > 4 * MTU
        traffic.copy(theirs.host, ours.host, getattr(ours, address), SIZE)
        if other is Simplevpn:  # the packets of a peer without trains may come one by one
            assert taken.mean("rx") > MTU


@pytest.mark.parametrize("address", ["ipv4", "ipv6"])
def test_datagrams_of_one_send_arrive_one_by_one(cable, simplevpn, address):
    left, right = connect(cable, simplevpn)
    to, family = getattr(right, address), socket.AF_INET6 if address == "ipv6" else socket.AF_INET
    with right.host.network():
        receiver = socket.socket(family, socket.SOCK_DGRAM)
    with left.host.network():
        sender = socket.socket(family, socket.SOCK_DGRAM)
    with receiver, sender:
        receiver.bind((to, 0))
        receiver.settimeout(10)
        sender.connect(receiver.getsockname()[:2])
        sender.send(b"hello")  # the first one may have to wait for the handshake
        assert receiver.recv(2000) == b"hello"
        given = Lengths(left)
        sender.setsockopt(SOL_UDP, UDP_SEGMENT, 1200)
        for turn in range(20):
            parts = [bytes([turn, i]) * 600 for i in range(40)] + [bytes([turn])]
            sender.send(b"".join(parts))
            assert [receiver.recv(2000) for _ in parts] == parts
        features = left.host.run("ethtool", "-k", "wg0").stdout if not missing("ethtool") else ""
        if "tx-udp-segmentation: on" in features:
            assert given.mean("tx") > 4 * MTU


def test_offloads_that_are_switched_off_by_hand_leave_single_packets(cable, simplevpn):
    if missing("ethtool"):
        pytest.skip(missing("ethtool"))
    left, right = connect(cable, simplevpn)
    traffic.copy(left.host, right.host, right.ipv4, SIZE)
    left.host.run("ethtool", "-K", "wg0", "tso", "off", "gso", "off")
    wait_until(lambda: "tcp-segmentation-offload: off" in
               left.host.run("ethtool", "-k", "wg0").stdout, what="offload is off")
    given = Lengths(left)
    traffic.copy(left.host, right.host, right.ipv4, SIZE)
    assert given.mean("tx") <= MTU
