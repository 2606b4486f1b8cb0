"""Defects 6, 8 and 11 of the simple-vpn-demo: what a client and a server do to their machines. The
others stand in defects_test.py."""

import pytest

import machine
import traffic
import wire
from defects import CLIENT, SERVER, changed, pair, throw  # noqa: F401  (pair is a fixture)
from peers import Simplevpn
from program import need
from road import sent

INTERNET = "203.0.113.9"


class Command(Simplevpn):
    """A tunnel as `simplevpn client` or `simplevpn server` makes it."""

    def __init__(self, host, program, *command, **options):
        super().__init__(host, program, **options)
        self.command = command

    def launch(self, wrapper=()):
        with open(self._log_path(), "w", encoding="utf-8") as log:
            self.process = self.host.popen(*wrapper, self.program, *self.command,
                                           f"/run/{self.interface}.conf", stderr=log)


@pytest.fixture
def internet(lab, pair):
    """A host behind the server, which does not know where the inside of the tunnel is."""
    need("nft")
    host = lab.host("internet")
    lab.veth(pair[0], ["203.0.113.1/24", "2001:db8:9::1/64"],
             host, [f"{INTERNET}/24", "2001:db8:9::9/64"])
    pair[0].ip("route", "add", "default", "via", INTERNET)
    for command in (["-4", "route", "add", "default", "via", SERVER],
                    ["-6", "route", "add", "default", "via", "2001:db8::1"]):
        pair[1].ip(*command)
    return host


def client_and_server(pair, program, *flags):
    """Not started; everything of the client goes through the tunnel, in IPv4 alone."""
    server = Command(pair[0], program, "server")
    client = Command(pair[1], program, "client", *flags)
    for peer in (server, client):
        peer.addresses, peer.allowed = peer.addresses[:1], peer.allowed[:1]
    server.knows(client)
    client.knows(server, endpoint=f"{SERVER}:51820")
    server.allowed = ["0.0.0.0/0"]
    return server, client


def test_defect_06_forwarding_and_rules_are_given_back_after_a_crash(pair, internet, simplevpn):
    server, client = client_and_server(pair, simplevpn)
    before = machine.describe(pair[0])
    server.start()
    client.start()
    assert traffic.ping(pair[1], INTERNET, count=3).lost == ()
    first = pair[0].run("nft", "-s", "list", "ruleset").stdout
    server.kill()
    server.start()
    assert pair[0].run("nft", "-s", "list", "ruleset").stdout == first  # nothing twice
    assert traffic.ping(pair[1], INTERNET, count=3).lost == ()
    server.stop()
    assert changed(before, pair[0]) == []


def test_defect_08_ipv6_and_dns_do_not_go_around_the_tunnel(pair, internet, simplevpn):
    server, client = client_and_server(pair, simplevpn)
    assert traffic.ping(pair[1], "2001:db8::1", count=2).lost == ()  # the way that exists
    server.start()
    client.start()
    with wire.Capture(pair[1], "server") as cable:
        assert traffic.ping(pair[1], "2001:db8:9::9", count=3, patience=0.5).received == 0
        assert traffic.ping(pair[1], "2001:db8::1", count=3, patience=0.5).received == 0
        throw(pair[1], [b"a question about a name"] * 3, (SERVER, 53))
        throw(pair[1], [b"a question about a name"] * 3, (INTERNET, 53))
        assert traffic.ping(pair[1], INTERNET, count=3).lost == ()
    assert {(d.source[0], d.target) for d in cable.datagrams() if d.source[0] == CLIENT} == \
        {(CLIENT, (SERVER, 51820))}
    assert not any(b"a question" in frame for _, frame in cable.frames())
    assert not any(_is_echo6(frame) for _, frame in cable.frames())


def _is_echo6(frame):
    return frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] in (128, 129)


def test_defect_08_with_the_kill_switch_nothing_leaves_when_the_client_dies(pair, internet,
                                                                            simplevpn):
    server, client = client_and_server(pair, simplevpn, "--kill-switch")
    server.start()
    client.start()
    assert traffic.ping(pair[1], INTERNET, count=3).lost == ()
    with wire.Capture(pair[1], "server") as cable:
        client.kill()
        assert traffic.ping(pair[1], INTERNET, count=3, patience=0.5).received == 0
        assert traffic.ping(pair[1], SERVER, count=3, patience=0.5).received == 0
        assert traffic.ping(pair[1], "2001:db8::1", count=3, patience=0.5).received == 0
        throw_or_be_refused(pair[1], b"a question about a name", (SERVER, 53))
    assert sent(cable, {CLIENT, "2001:db8::2"}) <= {(SERVER, 17, 51820)}
    pair[1].run(simplevpn, "unblock", "wg0")
    assert traffic.ping(pair[1], SERVER, count=3).lost == ()


def throw_or_be_refused(host, datagram, target):
    try:
        throw(host, [datagram], target)
    except PermissionError:
        pass  # the block says so at once


def test_defect_11_clients_may_call_out_and_nobody_may_call_in(pair, internet, simplevpn):
    drop = "add table ip filter; add chain ip filter FORWARD " \
           "{ type filter hook forward priority 0; policy drop; }"
    pair[0].run("nft", drop)
    internet.ip("route", "add", "10.9.0.0/24", "via", "203.0.113.1")
    before = machine.describe(pair[0])
    server, client = client_and_server(pair, simplevpn)
    server.start()
    client.start()
    assert traffic.ping(pair[1], INTERNET, count=3).lost == ()
    assert traffic.ping(internet, client.ipv4, count=3, patience=0.5).received == 0
    server.stop()
    assert changed(before, pair[0]) == []
