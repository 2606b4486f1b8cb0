"""Bad datagrams at full speed: the tunnel stays up, memory flat, and each is counted."""

import base64
import functools
import hashlib
import os
import signal
import struct
import subprocess

import pytest

import checkup
import traffic
import wire
from netns import wait_until
from peers import PORT, Simplevpn, WireguardGo, join

OUTER = ("192.0.2.1", "192.0.2.2")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SENDER = os.path.abspath(os.environ.get("HOSTILE", f"{ROOT}/build/dev/bin/hostile"))
MOST_GROWTH_KIB = 4096
# Garbage, messages in shape only, truncated, extended, flipped; replays are one in sixteen, so that
# handshakes among them do not bring the receiver under load.
MIXED = "gmtxfgmtxfgmtxfr"
REASONS = {"malformed", "unknown_index", "forged", "replay", "wrong_mac1", "unexpected_cookie",
           "old_timestamp"}


@pytest.fixture(autouse=True)
def sender_is_built():
    if not os.access(SENDER, os.X_OK):
        pytest.skip(f"{SENDER} is not built")


@pytest.fixture(name="both")
def fixture_both(cable, simplevpn):
    left, right = (Simplevpn(host, simplevpn) for host in cable)
    join(left, right, OUTER, initiator="left")
    with wire.Capture(cable[0], "right") as tap:
        right.start()
        left.start()
        assert traffic.ping(left.host, right.ipv4, count=100).lost == ()
        assert traffic.answers(left.host, right.ipv6)
        for peer in (left, right):
            peer.settle()
        wait_until(lambda: tap.kinds()[wire.DATA] >= 200, what="data on the cable")
    save_templates(tap, left.host)
    return left, right


def save_templates(tap, host):
    """Every datagram of a handshake and of traffic, in both directions."""
    assert {d.kind for d in tap.datagrams()} == {wire.INITIATION, wire.RESPONSE, wire.DATA}
    write_templates([d.payload for d in tap.datagrams()], host)


def write_templates(payloads, host):
    with open(f"/proc/{host.pid}/root/run/templates", "wb") as file:
        for payload in payloads:
            file.write(struct.pack("!H", len(payload)) + payload)


def initiations_of_nobody(target):
    """Initiations that are good up to their mac1, for which only the public key is needed."""
    mac_key = hashlib.blake2s(b"mac1----" + base64.b64decode(target.public)).digest()
    for number in range(1000):
        body = struct.pack("<I", wire.INITIATION) + \
            hashlib.shake_128(struct.pack("<I", number)).digest(112)
        yield body + hashlib.blake2s(body, key=mac_key, digest_size=16).digest() + bytes(16)


def attack(host, count, kinds, *rate):
    """Returns how many datagrams left."""
    done = host.run(SENDER, "/run/templates", OUTER[1], PORT, count, kinds, *rate, timeout=120)
    return int(done.stdout)


def unread(host):
    """Datagrams that the kernel threw away because our socket was full."""
    return sum(int(row[-1]) for row in host.udp_sockets(PORT))


class Tally:
    """What a peer has received, kept, thrown away and sent; differences between two are an
    attack's."""

    def __init__(self, peer):
        status = peer.status()
        self.counters, engine = status["counters"], status["engine"]
        # "no peer" is for what the host itself sends unasked (IPv6), not for what arrives.
        self.drops = {name: count for name, count in self.counters["drops"].items()
                      if name != "no_peer_for_destination"}
        self.received = self.counters["rx_packets"]
        self.dropped = sum(self.drops.values())
        self.cookies = self.counters["cookie_replies"]
        self.useful = self.counters["delivered_packets"] + self.counters["keepalives_received"]
        self.unread = unread(peer.host)
        self.sent = engine["transport_packets_out"]
        self.refused = sum(engine["transport_drops"].values())

    def since(self, before, *names):
        return sum(getattr(self, name) - getattr(before, name) for name in names)

    def changes(self, before):
        return {name: value - getattr(before, name) for name, value in vars(self).items()
                if isinstance(value, int)} | {"drops": self.reasons(before)}

    def reasons(self, before):
        """How many were dropped since, by reason."""
        new = {name: count - before.drops.get(name, 0) for name, count in self.drops.items()}
        return {name: count for name, count in new.items() if count}


def balances(before, now, hostile):
    """Pairs of counts that are equal once nothing is on its way. `before` and `now` are the Tallies
    of both; between them `hostile` datagrams went to the right one."""
    here, there = (functools.partial(tally.since, was) for was, tally in zip(before, now))
    return {"arrived, sent": (there("received", "unread"), here("sent") + hostile),
            "answered, came back": (there("sent") - there("cookies"), here("received", "unread")),
            "received, with a fate": (there("received"), there("dropped", "cookies", "useful"))}


def every_one_counted(peers, before, hostile):
    """Waits until nothing is on its way; returns what both have then. Each datagram that left on
    one side was read or thrown away by the kernel of the other, and has one fate there: dropped for
    a reason, answered with a cookie, or of use."""
    def settled():
        now = [Tally(peer) for peer in peers]
        pairs = balances(before, now, hostile).values()
        return now if all(one == other for one, other in pairs) else None
    try:
        return wait_until(settled)
    except TimeoutError:
        now = [Tally(peer) for peer in peers]
        pytest.fail(f"not all of {hostile} datagrams counted: {balances(before, now, hostile)}, "
                    f"{[tally.changes(was) for was, tally in zip(before, now)]}")


def tallies(peers):
    """What both have while nothing is on its way: what one had counted and the other not yet would
    be missing for ever. They tell each other of changes to their addresses whenever those come."""
    def unchanged():
        first, second = ([Tally(peer) for peer in peers] for _ in range(2))
        return first if [vars(tally) for tally in first] == \
            [vars(tally) for tally in second] else None
    return wait_until(unchanged, what="a quiet moment")


def test_a_million_bad_datagrams_are_refused_and_counted(both):
    left, right = both
    endpoint = right.seen(left).endpoint
    before, memory = tallies(both), right.rss_kib()
    sent, after = 0, before[1]
    while after.since(before[1], "dropped") < 1_000_000:
        sent += attack(left.host, 250_000, MIXED)
        _, after = every_one_counted(both, before, sent)
    assert right.rss_kib() - memory <= MOST_GROWTH_KIB
    assert after.counters["memory_bytes"] == before[1].counters["memory_bytes"]
    assert after.since(before[1], "sent") <= 20 + after.since(before[1], "cookies")
    assert REASONS <= set(after.drops)
    assert right.seen(left).endpoint == endpoint
    assert traffic.ping(left.host, right.ipv4, count=100).lost == ()
    assert right.counters()["handshakes_completed"] == 1


def test_replays_are_refused_and_move_no_endpoint(both):
    left, right = both
    endpoint = right.seen(left).endpoint
    before = tallies(both)
    sent = attack(left.host, 20_000, "r", 20_000)
    _, after = every_one_counted(both, before, sent)
    assert after.drops["replay"] > 5000 and after.drops["old_timestamp"] > 0
    assert right.seen(left).endpoint == endpoint
    assert traffic.ping(left.host, right.ipv4, count=100).lost == ()


def test_a_live_session_goes_on_under_a_steady_attack(both):
    left, right = both
    before = tallies(both)
    with traffic.Pinging(left.host, right.ipv4, interval=0.005) as pinging:
        pinging.wait_for_more(20)
        sent = attack(left.host, 40_000, MIXED, 20_000)
        pinging.wait_for_more(20)
    after = every_one_counted(both, before, sent)
    assert len(pinging.result.lost) <= discarded(before, after)


def discarded(before, after):
    """Datagrams that a kernel threw away: how many pings may be lost, and by whose doing."""
    return sum(now.since(was, "unread") for was, now in zip(before, after))


# ---- handshakes under load ----

FLOOD = 20_000  # a second
RETRY = 5.4  # seconds until an initiator that got a cookie comes back with it


@pytest.fixture(name="flood")
def fixture_flood(cable, simplevpn, request):
    """A flooded receiver on the right, and who wants to be its peer on the left."""
    makers = {"ours": lambda host: Simplevpn(host, simplevpn), "theirs": WireguardGo}
    left, right = (makers[name](host) for name, host in zip(request.param.split("-"), cable))
    join(left, right, OUTER, initiator="left")
    right.start()
    if isinstance(right, WireguardGo):
        right.widen()
    write_templates(list(initiations_of_nobody(right)), left.host)
    with wire.Capture(cable[0], "right") as tap:
        left.host.popen(SENDER, "/run/templates", OUTER[1], PORT, 60 * FLOOD, "r", FLOOD,
                        stdout=subprocess.DEVNULL)  # ends with the host
        wait_until(lambda: tap.kinds()[wire.COOKIE] > 0, what="receiver is under load")
    return left, right


@pytest.mark.parametrize("flood", ["ours-ours", "theirs-ours", "ours-theirs"], indirect=True)
def test_a_new_client_gets_in_with_a_cookie_while_initiations_flood(flood):
    left, right = flood
    before = unread(right.host)
    left.start()
    with traffic.Pinging(left.host, right.ipv4) as pinging:
        try:
            pinging.wait_for_more(20, timeout=RETRY + 1)
        except TimeoutError:
            assert unread(right.host) > before  # among them what carried the cookie
            pinging.wait_for_more(20, timeout=RETRY)


@pytest.mark.parametrize("flood", ["ours-ours"], indirect=True)
def test_both_doctors_name_the_load(flood, simplevpn):
    left, right = flood
    left.start()
    left.host.run("ping", "-c1", "-W1", right.ipv4, check=False)
    wait_until(lambda: left.counters()["cookies_received"], what="a cookie")
    refused = checkup.complaints(left.host, simplevpn, "wg0")
    assert "under load" in refused["handshake"]["cause"]
    assert "load" in checkup.complaints(right.host, simplevpn, "wg0")


# Two thousand wait in our socket, a quarter of them if its buffer is the system's default.
BACKLOG = 2000
# An initiation makes "under load" an eighth of the queue, 128, and each round of the engine reads
# 64 datagrams and works on two handshakes: so many get in before and while the door closes.
MOST_WORK = 256


def test_a_backlog_of_initiations_costs_cookies_not_work(both):
    """Whatever the machine can do: most are answered without any Diffie-Hellman."""
    left, right = both
    write_templates(list(initiations_of_nobody(right)), left.host)
    before = tallies(both)
    right.send_signal(signal.SIGSTOP)
    wait_until(lambda: right.state() == "T", what="stopped")
    sent = attack(left.host, BACKLOG, "r")
    right.send_signal(signal.SIGCONT)
    _, after = every_one_counted(both, before, sent)
    received, cookies, useful = (after.since(before[1], name)
                                 for name in ("received", "cookies", "useful"))
    assert received > MOST_WORK
    assert after.reasons(before[1]) == {"invalid_handshake": received - cookies - useful}
    assert after.drops["invalid_handshake"] <= MOST_WORK


UNCHANGED = ("handshakes_initiated", "handshakes_responded", "handshakes_completed",
             "staged_packets", "memory_bytes")


def test_a_flood_of_initiations_changes_nothing_but_counters(both):
    left, right = both
    endpoint = right.seen(left).endpoint
    write_templates(list(initiations_of_nobody(right)), left.host)
    before, memory = tallies(both), right.rss_kib()
    with traffic.Pinging(left.host, right.ipv4) as pinging:
        pinging.wait_for_more(20)
        sent = attack(left.host, 3 * FLOOD, "r", FLOOD)
        pinging.wait_for_more(20)
    after = every_one_counted(both, before, sent)
    assert len(pinging.result.lost) <= discarded(before, after)
    for was, now in zip(before, after):
        assert now.refused == 0
        assert [now.counters[name] for name in UNCHANGED] == [was.counters[name]
                                                              for name in UNCHANGED]
    assert after[0].drops == before[0].drops
    assert set(after[1].reasons(before[1])) <= {"invalid_handshake", "handshake_queue_full"}
    # Less leaves than comes in: one cookie of 64 bytes for an initiation of 148, nothing else.
    assert after[1].since(before[1], "sent") <= after[0].since(before[0], "sent") + \
        after[1].since(before[1], "cookies")
    assert after[1].since(before[1], "cookies") <= sent
    assert right.rss_kib() - memory <= MOST_GROWTH_KIB
    assert right.seen(left).endpoint == endpoint
    assert traffic.ping(left.host, right.ipv4, count=100).lost == ()
