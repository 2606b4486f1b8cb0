"""The thirteen defects of the simple-vpn-demo, each a test that ours does not have it. The names
say what went wrong there. Routes, NAT and the block have a file of their own,
defects_machine_test.py; what shows in a plan already stands in tests/unit/host/defects_test.cpp."""

import random
import signal
import socket
import subprocess
import time

import pytest

import crash
import machine
import traffic
import wire
from defects import CLIENT, SERVER, changed, pair, throw  # noqa: F401  (pair is a fixture)
from netns import wait_until
from peers import Simplevpn, join
from plainpeer import PORT, DemoPeer, PlainTunnel, ipv4
from program import CONFIG, need

STRANGER = "198.51.100.9"
RUBBISH = [b"", b"\0", b"\x45", b"\x04\0\0\0", b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 1400,
           b"\0" * 148]


@pytest.fixture
def stranger(lab, pair):
    """A host that reaches the server and is nobody."""
    host = lab.host("stranger")
    lab.veth(pair[0], "198.51.100.1/24", host, f"{STRANGER}/24")
    return host


def tunnel(pair, program, keepalive=None, mtus=(None, None)):
    """Server and client of ours, connected."""
    server = Simplevpn(pair[0], program, mtu=mtus[0])
    client = Simplevpn(pair[1], program, mtu=mtus[1])
    join(server, client, (SERVER, CLIENT), initiator="right")
    if keepalive:
        client.known[0].keepalive = keepalive
    server.start()
    client.start()
    pings(client, server)
    return server, client


def pings(source, target, **options):
    assert traffic.ping(source.host, target.ipv4, **options).lost == ()


def plain_server(host, program, peer=CLIENT):
    return PlainTunnel(host, program, "server", "--insecure-plain", "--peer", peer)


# ---- 1: the published client never starts, and leaves what it had changed so far ----

def _take_port(host):
    with host.network():
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("", 51820))
    return taken


def _forbid_ipv6(host):
    host.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    host.sysctl("net.ipv6.conf.default.disable_ipv6", 1)


@pytest.mark.parametrize("obstacle", [_take_port, _forbid_ipv6], ids=["port taken", "no IPv6"])
def test_defect_01_a_start_that_fails_leaves_nothing_behind(host, simplevpn, obstacle):
    held = obstacle(host)
    host.write("/run/wg0.conf", CONFIG)
    before = machine.describe(host)
    done = host.run(simplevpn, "up", "/run/wg0.conf", check=False)
    assert done.returncode == 4 and "cannot" in done.stderr
    assert changed(before, host) == []
    if held:
        held.close()


# ---- 2: one empty or non-IP datagram from anyone kills the server ----

def test_defect_02_rubbish_from_anyone_does_not_end_the_server(pair, stranger, simplevpn):
    server, client = tunnel(pair, simplevpn)
    before = server.pid()
    throw(stranger, RUBBISH, ("198.51.100.1", 51820))
    throw(pair[1], RUBBISH, (SERVER, 51820))
    # Its interface may add packets of its own to these.
    wait_until(lambda: sum(server.drops().values()) >= 2 * len(RUBBISH), what="all were refused")
    pings(client, server)
    assert server.running() and server.pid() == before


def test_defect_02_rubbish_does_not_end_a_plain_server(pair, stranger, simplevpn):
    with DemoPeer(pair[1], "10.8.0.2/16", (SERVER, PORT)) as demo, \
            plain_server(pair[0], simplevpn) as server:
        throw(stranger, RUBBISH, ("198.51.100.1", PORT))
        for datagram in RUBBISH:
            demo.send(datagram)
        wait_until(lambda: server.drops().get("malformed_inside_packet") == len(RUBBISH) and
                   server.drops().get("unknown_peer") == len(RUBBISH), what="all were refused")
        assert traffic.ping(pair[1], "10.8.0.1", count=5).lost == ()


# ---- 3: any sender of one plausible packet becomes the peer ----

def test_defect_03_a_copied_datagram_does_not_make_its_sender_the_peer(pair, stranger, simplevpn):
    with wire.Capture(pair[0], "client") as cable:
        server, client = tunnel(pair, simplevpn)
        endpoint = server.seen(client).endpoint
        wait_until(lambda: cable.kinds()[wire.DATA] >= 2, what="data on the cable")
    copies = [d.payload for d in cable.datagrams() if d.source[0] == CLIENT]
    with wire.Capture(stranger, "server") as heard:
        throw(stranger, copies, ("198.51.100.1", 51820))
        wait_until(lambda: server.drops().get("replay", 0) >= 1, what="copies were refused")
        pings(server, client)
        assert server.seen(client).endpoint == endpoint
    assert [d for d in heard.datagrams() if d.target[0] == STRANGER] == []


def test_defect_03_a_plausible_plain_packet_does_not_make_its_sender_the_peer(pair, stranger,
                                                                             simplevpn):
    with DemoPeer(pair[1], "10.8.0.2/16", (SERVER, PORT)), \
            plain_server(pair[0], simplevpn) as server, wire.Capture(stranger, "server") as heard:
        throw(stranger, [ipv4("10.8.0.2", "10.8.0.1", b"me")] * 3, ("198.51.100.1", PORT))
        wait_until(lambda: server.drops().get("unknown_peer") == 3, what="it was refused")
        assert traffic.ping(pair[0], "10.8.0.2", count=5).lost == ()
        assert server.status()["peers"][0]["endpoint"] == f"{CLIENT}:{PORT}"
    assert [d for d in heard.datagrams() if d.target[0] == STRANGER] == []


# ---- 4: before the first client, packets from the tunnel loop back into it ----

def test_defect_04_before_the_first_client_nothing_loops(pair, simplevpn):
    server, client = Simplevpn(pair[0], simplevpn), Simplevpn(pair[1], simplevpn)
    server.knows(client)  # not where it is
    server.start()
    with wire.Capture(pair[0], "wg0") as inside, wire.Capture(pair[0], "lo") as local, \
            wire.Capture(pair[0], "client") as cable:
        assert traffic.ping(pair[0], client.ipv4, count=5, patience=0.5).received == 0
        wait_until(lambda: server.drops().get("peer_has_no_endpoint", 0) >= 5,
                   what="they were refused")
    requests = [frame for _, frame in inside.frames() if frame[0] >> 4 == 4 and frame[9] == 1 and
                frame[20] == 8]
    assert len(requests) == 5 == len(set(requests))  # each came once
    assert local.datagrams() == [] == cable.datagrams()


# ---- 5: clean-up ends at its first failure ----

def test_defect_05_undo_goes_on_where_somebody_was_faster(host, simplevpn):
    host.write("/run/wg0.conf", CONFIG)
    before = machine.describe(host)
    host.run(simplevpn, "up", "/run/wg0.conf")
    host.ip("route", "del", "10.77.0.0/16", "dev", "wg0")
    host.ip("address", "del", "10.9.0.1/24", "dev", "wg0")
    host.run(simplevpn, "down", "wg0")
    assert changed(before, host) == []


# ---- 6: nothing is recovered after a crash; a second start doubles what the first has left ----

def test_defect_06_after_a_crash_a_new_start_doubles_nothing(host, simplevpn):
    host.write("/run/wg0.conf", CONFIG)
    before = machine.describe(host)
    host.run(simplevpn, "up", "/run/wg0.conf")
    first = _rows(host)
    crash.kill(host)
    host.run(simplevpn, "up", "/run/wg0.conf")
    assert _rows(host) == first
    host.run(simplevpn, "down", "wg0")
    assert changed(before, host) == []


def _rows(host):
    """What a second start could do twice; a new interface has another number and IPv6 address."""
    facts = machine.describe(host)
    return {fact: facts[fact] for fact in ("routes v4", "rules v4", "rules v6", "packet filter")}


# ---- 7: the signal handler is unsafe, and installed after the machine was changed ----

def test_defect_07_a_signal_at_any_moment_of_the_start_leaves_nothing(host, simplevpn):
    host.write("/run/wg0.conf", CONFIG)
    before = machine.describe(host)
    moments = random.Random(7)
    for number in (signal.SIGTERM, signal.SIGINT) * 10:
        process = host.popen(simplevpn, "up", "-f", "/run/wg0.conf", stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, 0.12))  # the moment is the test
        process.send_signal(number)
        assert process.wait(timeout=10) in (0, 128 + number, -number), process.returncode
        wait_until(lambda: not host.pids("simplevpn"), what="it ended")
        assert changed(before, host) == []


# ---- 9: a name, IPv6, an on-link or a second default route break the start ----

def test_defect_09_a_server_by_name_over_ipv6_and_odd_default_routes(lab, pair, simplevpn):
    server, client = Simplevpn(pair[0], simplevpn), Simplevpn(pair[1], simplevpn)
    pair[1].replace_file("/etc/hosts", "2001:db8::1 vpn.example.org\n")
    other = lab.host("other")
    lab.veth(pair[1], "203.0.113.1/24", other, "203.0.113.2/24")
    pair[1].ip("route", "add", "default", "dev", "server")  # on-link: no "via"
    pair[1].ip("route", "add", "default", "via", "203.0.113.2", "metric", "100")
    server.knows(client)
    client.knows(server, endpoint="vpn.example.org:51820")
    before = machine.describe(pair[1])
    server.start()
    client.start()
    wait_until(lambda: client.status()["peers"][0]["endpoint"] == "[2001:db8::1]:51820",
               what="the name was resolved")
    pings(client, server)
    # The uplink changes under it: there is no host route that could become stale.
    pair[1].ip("route", "del", "default", "via", "203.0.113.2")
    pings(client, server)
    client.stop()
    pair[1].ip("route", "add", "default", "via", "203.0.113.2", "metric", "100")
    assert changed(before, pair[1]) == []


# ---- 10: one fixed name, one fixed address: a second tunnel or client is impossible ----

def test_defect_10_two_tunnels_on_one_host(pair, simplevpn):
    other = ["--name", "plain2", "--address", "10.99.0.1/24", "--listen-port", "4001"]
    with DemoPeer(pair[1], "10.8.0.2/16", (SERVER, PORT)), plain_server(pair[0], simplevpn), \
            PlainTunnel(pair[0], simplevpn, "server", "--insecure-plain", "--peer",
                        f"{CLIENT}:4000", *other, name="plain2"):
        assert traffic.ping(pair[1], "10.8.0.1", count=3).lost == ()
        assert "10.99.0.1/24" in pair[0].ip("address", "show", "dev", "plain2")
        third = pair[0].run(simplevpn, "server", "--insecure-plain", "--peer", CLIENT, check=False)
        assert third.returncode == 4 and "running already" in third.stderr


def test_defect_10_two_clients_of_one_server(lab, pair, simplevpn):
    second = lab.host("second")
    lab.veth(pair[0], "203.0.113.1/24", second, "203.0.113.2/24")
    server = Simplevpn(pair[0], simplevpn)
    clients = [Simplevpn(pair[1], simplevpn), Simplevpn(second, simplevpn)]
    for client, address in zip(clients, (SERVER, "203.0.113.1")):
        server.knows(client)
        client.knows(server, endpoint=f"{address}:51820")
    server.start()
    for client in clients:
        client.start()
    for client in clients * 2:
        pings(client, server)
    assert server.drops() == {}


# ---- 12: datagrams longer than the MTU are cut, and nothing keeps a NAT mapping alive ----

def test_defect_12_a_packet_beyond_our_mtu_is_not_cut(pair, simplevpn):
    server, client = tunnel(pair, simplevpn, mtus=(1280, 1420))
    with wire.Capture(pair[0], "wg0") as inside:
        traffic.ping(client.host, server.ipv4, count=3, size=1420 - 28)
        wait_until(lambda: len([f for _, f in inside.frames() if len(f) == 1420]) >= 3,
                   what="whole packets inside")


def test_defect_12_a_datagram_beyond_our_buffers_is_refused_whole(pair, simplevpn):
    with DemoPeer(pair[1], "10.8.0.2/16", (SERVER, PORT)) as demo, \
            plain_server(pair[0], simplevpn) as server, wire.Capture(pair[0], "plain") as inside:
        demo.send(ipv4("10.8.0.2", "10.8.0.1", b"long" * 2000))
        wait_until(lambda: server.drops().get("too_big") == 1, what="it was refused")
        assert traffic.ping(pair[1], "10.8.0.1").lost == ()
    assert not any(b"longlong" in frame for _, frame in inside.frames())


def test_defect_12_keepalives_hold_a_nat_mapping(pair, simplevpn):
    tunnel(pair, simplevpn, keepalive=1)
    with wire.Capture(pair[0], "client") as cable:
        wait_until(lambda: sum(d.is_keepalive for d in cable.datagrams()) >= 3, timeout=20,
                   what="keepalives without traffic")


# ---- 13: the client binds to the server's address ----

@pytest.mark.parametrize("kind", ["wireguard", "plain"])
def test_defect_13_a_client_listens_at_no_address_of_its_server(pair, simplevpn, kind):
    need("ss")
    if kind == "plain":
        with PlainTunnel(pair[1], simplevpn, "client", "--insecure-plain", "--endpoint", SERVER):
            assert _listens_at(pair[1], PORT) == {"0.0.0.0", "[::]"}
        return
    tunnel(pair, simplevpn)
    assert _listens_at(pair[1], 51820) == {"0.0.0.0", "[::]"}


def _listens_at(host, port):
    lines = host.run("ss", "-Hulna", f"sport = :{port}").stdout.splitlines()
    return {line.split()[3].rsplit(":", 1)[0] for line in lines}
