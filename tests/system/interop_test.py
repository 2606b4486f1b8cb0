"""Ours and Debian's wireguard-go as peers.

Rekeys come after 120 s, and no constant is shortened here: three pairs begin to age when the first
test of this file runs, and the last test looks at them.
"""

import contextlib
import socket
import time
from dataclasses import dataclass

import pytest

import netns
import traffic
import wire
from netns import wait_until
from peers import Peer, Simplevpn, WireguardGo, join, key, same_bytes

OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
PAIRS = ("ours-theirs", "theirs-ours", "ours-ours")  # who initiates, and with whom
REKEY_AFTER = 120


@dataclass
class AgingPair:
    initiator: Peer
    responder: Peer
    tap: wire.Capture
    pinging: traffic.Pinging
    since: float


def lay_cable(lab, name=""):
    left, right = lab.host(f"{name}left"), lab.host(f"{name}right")
    lab.veth(left, ["192.0.2.1/24", "2001:db8::1/64"], right, ["192.0.2.2/24", "2001:db8::2/64"],
             names=("outside", "outside"))
    return left, right


def make_peers(names, hosts, program):
    """Peers as in "ours-theirs": the left one first."""
    return [Simplevpn(host, program) if name == "ours" else WireguardGo(host)
            for name, host in zip(names.split("-"), hosts)]


def start(initiator, responder):
    """The responder first, so that nothing is sent to nobody."""
    responder.start()
    initiator.start()


@pytest.fixture(scope="module", autouse=True)
def aging(simplevpn):
    reason = netns.missing("wireguard-go", "wg", "ping", tun=True)
    if reason:
        pytest.skip(reason)
    with netns.Lab() as lab:
        pairs = {}
        for names in PAIRS:
            hosts = lay_cable(lab, "aging-")
            left, right = make_peers(names, hosts, simplevpn)
            join(left, right, OUTER[4], initiator="left")
            tap = lab.enter_context(wire.Capture(hosts[1], "outside", only_handshakes=True))
            start(left, right)
            traffic.ping(left.host, right.ipv4)
            pinging = lab.enter_context(traffic.Pinging(left.host, right.ipv4, interval=0.05))
            pairs[names] = AgingPair(left, right, tap, pinging, time.monotonic())
        yield pairs


@pytest.fixture(name="pair")
def fixture_pair(cable, simplevpn):
    """Ours on the left, theirs on the right."""
    return make_peers("ours-theirs", cable, simplevpn)


# ---- sessions ----

@pytest.mark.parametrize("preshared", [False, True], ids=["plain", "psk"])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("names", ["ours-theirs", "theirs-ours"])
def test_one_handshake_makes_a_session(cable, simplevpn, names, family, preshared):
    initiator, responder = make_peers(names, cable, simplevpn)
    join(initiator, responder, OUTER[family], initiator="left",
         preshared=key() if preshared else None)
    with wire.Capture(cable[1], "left") as tap:
        start(initiator, responder)
        for source, target in ((initiator, responder), (responder, initiator)):
            for address in (target.ipv4, target.ipv6):
                assert traffic.ping(source.host, address, count=20).lost == ()
        wait_until(lambda: tap.kinds()[wire.DATA] >= 160, what="data on the cable")
    kinds = tap.kinds()
    assert kinds[wire.INITIATION] == 1 and kinds[wire.RESPONSE] == 1 and kinds[None] == 0
    first = [d for d in tap.datagrams() if d.kind == wire.INITIATION]
    assert first[0].source[0] == OUTER[family][0]


def test_a_wrong_preshared_key_makes_no_session(pair):
    ours, theirs = pair
    ours.knows(theirs, preshared=key(), endpoint="192.0.2.2:51820")
    theirs.knows(ours, preshared=key())
    start(ours, theirs)
    assert not traffic.answers(ours.host, theirs.ipv4)
    assert ours.drops()["invalid_handshake"] >= 1
    assert ours.status()["peers"][0]["latest_handshake"] is None


@pytest.mark.parametrize("names", ["ours-theirs", "theirs-ours"])
def test_ten_thousand_pings_and_a_copy_each_way(cable, simplevpn, names):
    left, right = make_peers(names, cable, simplevpn)
    join(left, right, OUTER[4], initiator="left", preshared=key())
    start(left, right)
    next(peer for peer in (left, right) if isinstance(peer, WireguardGo)).widen()
    assert traffic.ping(left.host, right.ipv4, count=10_000, interval=0.001).lost == ()
    wait_until(lambda: same_bytes(left, right), what="equal byte counters")
    for source, target in ((left, right), (right, left)):
        traffic.copy(source.host, target.host, target.ipv4, 32 << 20)
        traffic.copy(source.host, target.host, target.ipv6, 8 << 20)


def test_both_count_the_same_bytes(pair):
    """Of every length: padding is counted, handshakes and keepalives are too."""
    ours, theirs = pair
    join(ours, theirs, OUTER[4], initiator="left")
    with wire.Capture(ours.host, "right") as tap:
        start(ours, theirs)
        for size in [*range(1, 34), 100, 1391, 1392]:
            assert traffic.ping(ours.host, theirs.ipv4, size=size).lost == ()
        for size in (0, 1, 1371, 1372):
            assert traffic.ping(theirs.host, ours.ipv6, size=size).lost == ()
        wait_until(lambda: same_bytes(ours, theirs), what="equal byte counters")
        seen = ours.seen(theirs)
        wait_until(lambda: bytes_of(tap, "192.0.2.2") >= seen.rx, what="capture complete")
    assert (bytes_of(tap, "192.0.2.2"), bytes_of(tap, "192.0.2.1")) == (seen.rx, seen.tx)


def bytes_of(tap, source):
    return sum(len(d.payload) for d in tap.datagrams() if d.source[0] == source)


# ---- keepalives ----

def send_one_way(source, target):
    """One datagram that nobody answers."""
    with target.host.network():
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with source.host.network():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver, sender:
        receiver.bind((target.ipv4, 0))
        receiver.settimeout(5)
        sender.sendto(b"one way", receiver.getsockname())
        assert receiver.recv(100) == b"one way"


def test_data_without_answer_is_answered_by_a_keepalive_after_ten_seconds(lab, simplevpn):
    with contextlib.ExitStack() as stack:
        taps = []
        for names in ("ours-theirs", "theirs-ours"):
            hosts = lay_cable(lab)
            left, right = make_peers(names, hosts, simplevpn)
            join(left, right, OUTER[4], initiator="left")
            start(left, right)
            assert traffic.answers(left.host, right.ipv4)
            (left if names.startswith("ours") else right).settle()
            tap = stack.enter_context(wire.Capture(hosts[0], "outside"))
            send_one_way(left, right)
            taps.append(tap)
        for tap in taps:
            wait_until(lambda: any(d.is_keepalive for d in tap.datagrams()), timeout=12,
                       what="keepalive")
    for tap in taps:
        data = [d for d in tap.datagrams() if d.kind == wire.DATA and not d.is_keepalive]
        answer = next(d for d in tap.datagrams() if d.is_keepalive)
        assert answer.source[0] == OUTER[4][1]
        assert 9.9 < answer.at - data[-1].at < 11


def test_persistent_keepalives_of_both_are_sent_and_understood(pair):
    ours, theirs = pair
    ours.knows(theirs, endpoint="192.0.2.2:51820", keepalive=1)
    theirs.knows(ours, keepalive=1)
    with wire.Capture(ours.host, "right") as tap:
        start(ours, theirs)
        wait_until(lambda: all(
            sum(d.is_keepalive and d.source[0] == address for d in tap.datagrams()) >= 3
            for address in OUTER[4]), what="three keepalives of each")
    assert ours.counters()["keepalives_received"] >= 3
    assert ours.drops() == {}


# ---- roaming ----

def move(host, interface, old, new):
    """Another address in the place of the old one."""
    host.sysctl("net.ipv4.conf.all.promote_secondaries", 1)
    host.ip("address", "add", f"{new}/24", "dev", interface)
    host.ip("address", "del", f"{old}/24", "dev", interface)


@pytest.mark.parametrize("sender", ["ours", "theirs"])
def test_theirs_follows_when_our_address_changes(pair, sender):
    """Also when only they send: a keepalive tells them at once where we are."""
    ours, theirs = pair
    join(ours, theirs, OUTER[4], initiator="left")
    start(ours, theirs)
    source, target = (ours, theirs) if sender == "ours" else (theirs, ours)
    assert traffic.answers(ours.host, theirs.ipv4)
    with traffic.Pinging(source.host, target.ipv4) as pinging:
        pinging.wait_for_more(20)
        move(ours.host, "right", "192.0.2.1", "192.0.2.11")
        wait_until(lambda: theirs.seen(ours).endpoint == "192.0.2.11:51820", what="roamed")
        pinging.wait_for_more(20)
    assert len(pinging.result.lost) <= 100  # 1 s; their next keepalive would come after ten
    # Of one handshake, whose end we see a moment before them: another second may have begun.
    assert theirs.seen(ours).latest_handshake - ours.seen(theirs).latest_handshake in (0, 1)
    assert ours.counters()["handshakes_completed"] == 1


def test_we_follow_when_their_address_changes(pair):
    ours, theirs = pair
    join(ours, theirs, OUTER[4], initiator="left")
    start(ours, theirs)
    assert traffic.answers(ours.host, theirs.ipv4)
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(20)
        move(theirs.host, "left", "192.0.2.2", "192.0.2.22")
        theirs.set("fwmark", "1")  # without it wireguard-go keeps to a source that is gone
        wait_until(lambda: ours.seen(theirs).endpoint == "192.0.2.22:51820", what="roamed")
        pinging.wait_for_more(20)
    assert ours.counters()["handshakes_completed"] == 1


def test_we_follow_when_their_port_changes(pair):
    ours, theirs = pair
    join(ours, theirs, OUTER[4], initiator="left")
    start(ours, theirs)
    assert traffic.answers(ours.host, theirs.ipv4)
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(20)
        theirs.set("listen-port", "4500")
        wait_until(lambda: ours.seen(theirs).endpoint == "192.0.2.2:4500", what="roamed")
        pinging.wait_for_more(20)
    assert ours.counters()["handshakes_completed"] == 1


def test_we_follow_from_one_family_to_the_other(pair):
    ours, theirs = pair
    join(ours, theirs, OUTER[4], initiator="right")
    start(theirs, ours)

    def they_moved():
        """An answer of ours that was on its way takes their new endpoint back, for they roam too;
        so it is set until we have heard them from there."""
        theirs.set("peer", ours.public, "endpoint", "[2001:db8::1]:51820")
        return ours.seen(theirs).endpoint == "[2001:db8::2]:51820"
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(20)
        wait_until(they_moved, what="roamed")
        pinging.wait_for_more(20)
    assert pinging.result.lost == ()
    assert ours.counters()["handshakes_completed"] == 1


# ---- rekey ----

@pytest.mark.parametrize("names", PAIRS)
def test_after_two_minutes_the_initiator_rekeys_and_no_ping_is_lost(aging, names):
    pair = aging[names]
    wait_until(lambda: pair.tap.kinds()[wire.RESPONSE] >= 2,
               timeout=max(1.0, pair.since + REKEY_AFTER + 5 - time.monotonic()), what="rekey")
    pair.pinging.wait_for_more(20)
    pair.pinging.stop()
    assert pair.pinging.result.lost == ()
    messages = pair.tap.datagrams()
    assert [d.kind for d in messages] == [wire.INITIATION, wire.RESPONSE] * 2
    assert {d.source[0] for d in messages if d.kind == wire.INITIATION} == {OUTER[4][0]}
    assert 119.5 < messages[2].at - messages[0].at < 121.5
    assert pair.initiator.seen(pair.responder).latest_handshake > 0
