"""Tunnels find each other again: after restarts, crashes, new ports, and two starts at once."""

import signal
import time

import pytest

import traffic
import wire
from netns import wait_until
from peers import PORT, Simplevpn, WireguardGo, join
from relay import Relay

OUTER = ("192.0.2.1", "192.0.2.2")
AT_ONCE = 3.0  # seconds until a restarted node must have found its peers
SILENCE = 15.4  # until a node doubts a peer that does not answer


def recovery(pinging, restart, limit):
    """Seconds from the end of restart() until pings come back."""
    restart()
    since = time.monotonic()
    pinging.wait_for_more(5, timeout=limit)
    return time.monotonic() - since


@pytest.fixture(name="pair")
def fixture_pair(cable, simplevpn):
    """Ours on the left, theirs on the right."""
    return Simplevpn(cable[0], simplevpn), WireguardGo(cable[1])


@pytest.fixture(name="both")
def fixture_both(cable, simplevpn):
    """Two of ours: a client on the left that knows where the server on the right is."""
    client, server = (Simplevpn(host, simplevpn) for host in cable)
    join(client, server, OUTER, initiator="left")
    client.service = server.service = True
    server.start()
    client.start()
    assert traffic.answers(client.host, server.ipv4)
    return client, server


def remembered(server, client):
    """Has the server written down where the client is?"""
    path = "/var/lib/simplevpn/wg0.endpoints"
    where = server.seen(client).endpoint
    return server.host.exists(path) and where in server.host.read(path)


# ---- with wireguard-go ----

@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.parametrize("known", ["configured", "remembered"])
def test_ours_restarts_and_finds_theirs_at_once(pair, way, known):
    ours, theirs = pair
    join(ours, theirs, OUTER, initiator="left" if known == "configured" else "right")
    ours.service = True  # stopped by hand it forgets
    for peer in ((theirs, ours) if known == "configured" else (ours, theirs)):
        peer.start()
    assert traffic.answers(theirs.host, ours.ipv4)
    wait_until(lambda: known == "configured" or remembered(ours, theirs), what="remembered")
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(5)
        ours.stop(way)
        assert recovery(pinging, ours.start, AT_ONCE) < AT_ONCE


def test_theirs_restarts_and_initiates(pair):
    ours, theirs = pair
    join(ours, theirs, OUTER, initiator="right")
    ours.start()
    theirs.start()
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(5)
        theirs.kill()
    theirs.start()
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(5, timeout=AT_ONCE)


def test_theirs_restarts_without_knowing_us_and_we_notice_the_silence(pair):
    ours, theirs = pair
    join(ours, theirs, OUTER, initiator="left")
    theirs.start()
    ours.start()
    with traffic.Pinging(ours.host, theirs.ipv4) as pinging:
        pinging.wait_for_more(5)
        theirs.kill()
        assert recovery(pinging, theirs.start, SILENCE + 2) < SILENCE + 1
    assert ours.drops() == {}


def test_ours_comes_back_on_another_port(pair):
    ours, theirs = pair
    join(ours, theirs, OUTER, initiator="left")
    theirs.start()
    ours.start()
    with traffic.Pinging(theirs.host, ours.ipv4) as pinging:
        pinging.wait_for_more(5)
        ours.stop()
        ours.port = 4500
        assert recovery(pinging, ours.start, AT_ONCE) < AT_ONCE
    assert theirs.seen(ours).endpoint == "192.0.2.1:4500"


# ---- two of ours ----

def test_two_that_start_at_the_same_moment_have_a_session_at_once(cable, simplevpn):
    left, right = (Simplevpn(host, simplevpn) for host in cable)
    join(left, right, OUTER)
    with wire.Capture(cable[0], "right") as tap:
        for peer in (left, right):
            peer.configure()
            peer.launch()
        for peer in (left, right):
            peer.wait_until_up()
        assert traffic.ping(left.host, right.ipv4, count=200, interval=0.005).lost == ()
        assert traffic.ping(right.host, left.ipv4, count=200, interval=0.005).lost == ()
        for peer in (left, right):
            peer.settle()
    kinds = tap.kinds()
    # Each began once; a second time whoever began before the other's socket was open.
    assert kinds[wire.INITIATION] <= 3 and kinds[None] == 0


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.parametrize("which", ["client", "server"])
def test_a_copy_goes_on_when_a_node_restarts(both, which, way):
    client, server = both
    node = client if which == "client" else server
    wait_until(lambda: remembered(server, client), what="endpoint remembered")
    copying = traffic.Copy(client.host, server.host, server.ipv4, 64 << 20).start()
    wait_until(lambda: copying.copied > 4 << 20, what="copy runs")
    node.stop(way)
    copied = copying.copied
    node.start()
    wait_until(lambda: copying.copied > copied + 65536, timeout=AT_ONCE, what="copy goes on")
    result = copying.wait()
    assert result.sent == result.received and result.bytes == 64 << 20


def test_a_restarted_server_is_first_to_speak(both):
    client, server = both
    wait_until(lambda: remembered(server, client), what="endpoint remembered")
    server.kill()
    with wire.Capture(server.host, "left") as tap:
        server.start()
        wait_until(lambda: tap.kinds()[wire.RESPONSE] == 1, timeout=AT_ONCE, what="response")
        first = next(d for d in tap.datagrams() if d.kind == wire.INITIATION)
    assert (first.source[0], first.target) == (OUTER[1], (OUTER[0], PORT))


# ---- NAT ----

def test_the_server_follows_when_a_nat_forgets(lab, simplevpn):
    hosts = [lab.host(name) for name in ("client", "nat", "server")]
    lab.veth(hosts[0], "192.0.2.1/24", hosts[1], "192.0.2.254/24")
    lab.veth(hosts[1], "198.51.100.254/24", hosts[2], "198.51.100.2/24")
    client, server = Simplevpn(hosts[0], simplevpn), Simplevpn(hosts[2], simplevpn)
    client.knows(server, endpoint="192.0.2.254:4500", keepalive=1)
    server.knows(client)
    with Relay(hosts[1], ("192.0.2.254", 4500), ("198.51.100.2", PORT)) as nat:
        server.start()
        client.start()
        with traffic.Pinging(client.host, server.ipv4) as pinging:
            pinging.wait_for_more(20)
            nat.forget()
            pinging.wait_for_more(20)
        assert len(pinging.result.lost) <= 5
        with traffic.Pinging(server.host, client.ipv4) as pinging:
            pinging.wait_for_more(20)
            nat.forget()
            pinging.wait_for_more(20, timeout=2)
        assert server.seen(client).endpoint == f"198.51.100.254:{nat.port()}"
        assert server.counters()["handshakes_completed"] == 1
