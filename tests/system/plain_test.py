"""--insecure-plain: the wire format of the simple-vpn-demo, said loudly and chosen by nobody by
accident. The other end is a minimal program of that format (tests/support/plainpeer.py)."""

import json
import socket

import pytest

import traffic
import wire
from netns import wait_until
from plainpeer import PORT, DemoPeer, PlainTunnel, ipv4
from program import CONFIG, need, run

OURS, THEIRS = "192.0.2.1", "192.0.2.2"
SERVER, CLIENT = "10.8.0.1", "10.8.0.2"
ICMP_ECHO = 28  # bytes of a ping around its payload


@pytest.fixture
def pair(lab):
    """Two hosts with a cable: ours at 192.0.2.1, the demonstration's at 192.0.2.2."""
    ours, theirs = lab.host("ours"), lab.host("theirs")
    lab.veth(ours, [f"{OURS}/24", "2001:db8::1/64"], theirs, [f"{THEIRS}/24", "2001:db8::2/64"])
    return ours, theirs


def server(host, program, peer=THEIRS):
    return PlainTunnel(host, program, "server", "--insecure-plain", "--peer", peer)


def client(host, program, endpoint=THEIRS, *more):
    return PlainTunnel(host, program, "client", "--insecure-plain", "--endpoint", endpoint, *more)


def pings(host, address, size=56, count=5):
    assert traffic.ping(host, address, count=count, size=size).lost == ()


# ---- the format ----

@pytest.mark.parametrize("role", ["server", "client"])
def test_the_demonstration_and_we_ping_each_other(pair, simplevpn, role):
    ours, theirs = pair
    here, there = (SERVER, CLIENT) if role == "server" else (CLIENT, SERVER)
    start = server if role == "server" else client
    with DemoPeer(theirs, f"{there}/16", (OURS, PORT)), start(ours, simplevpn):
        pings(ours, there)
        pings(theirs, here)


def test_two_of_ours_work_with_the_plan_of_the_demonstration(pair, simplevpn):
    ours, theirs = pair
    with server(ours, simplevpn), client(theirs, simplevpn, OURS):
        assert f"{SERVER}/16" in ours.ip("address", "show", "dev", "plain")
        assert f"{CLIENT}/16" in theirs.ip("address", "show", "dev", "plain")
        assert "mtu 1400" in ours.ip("link", "show", "dev", "plain")
        pings(theirs, SERVER)
        pings(ours, CLIENT)
        traffic.copy(ours, theirs, CLIENT, 4 << 20)


def test_a_datagram_is_the_inside_packet_byte_for_byte(pair, simplevpn):
    ours, theirs = pair
    with DemoPeer(theirs, f"{CLIENT}/16", (OURS, PORT)) as demo, server(ours, simplevpn), \
            wire.Capture(ours, "theirs") as cable, wire.Capture(ours, "plain") as inside:
        for size in (0, 1, 56, 700, 1372):
            pings(ours, CLIENT, size)
            pings(theirs, SERVER, size)
        wait_until(lambda: len(cable.datagrams()) >= 100, what="datagrams on the cable")
        wait_until(lambda: len(_inside(inside)) >= 100, what="packets inside")
    datagrams = cable.datagrams()
    assert {(d.source, d.target) for d in datagrams} == \
        {((OURS, PORT), (THEIRS, PORT)), ((THEIRS, PORT), (OURS, PORT))}
    assert sorted(d.payload for d in datagrams) == sorted(_inside(inside))
    ours_sent = [d.payload for d in datagrams if d.source[0] == OURS]
    assert ours_sent == demo.received
    assert [d.payload for d in datagrams if d.source[0] == THEIRS] == demo.sent


def _inside(capture):
    """IPv4 packets of an interface without a link layer; the kernel's own IPv6 is left out."""
    return [frame for _, frame in capture.frames() if frame[0] >> 4 == 4]


def test_1372_bytes_of_ping_fit_and_1373_do_not(pair, simplevpn):
    need("ping")
    ours, theirs = pair
    with DemoPeer(theirs, f"{CLIENT}/16", (OURS, PORT)), server(ours, simplevpn), \
            wire.Capture(ours, "theirs") as cable:
        fits = ours.run("ping", "-Mdo", "-c1", "-W2", f"-s{1400 - ICMP_ECHO}", CLIENT)
        assert "1 received" in fits.stdout
        too_long = ours.run("ping", "-Mdo", "-c1", "-W2", f"-s{1401 - ICMP_ECHO}", CLIENT,
                            check=False)
        assert too_long.returncode != 0
        assert "mtu=1400" in (too_long.stdout + too_long.stderr).replace("mtu = 1400", "mtu=1400")
        wait_until(lambda: len(cable.datagrams()) >= 2, what="datagrams on the cable")
    assert {len(d.payload) for d in cable.datagrams()} == {1400}


def test_ipv6_outside_and_a_name_for_the_server(pair, simplevpn):
    ours, theirs = pair
    theirs.replace_file("/etc/hosts", "2001:db8::1 vpn.example.org\n")
    with server(ours, simplevpn, "[2001:db8::2]:54345"), \
            client(theirs, simplevpn, "vpn.example.org"):
        pings(theirs, SERVER)


def test_everything_can_go_through_it(pair, simplevpn):
    """As the demonstration's client did: the outer datagrams do not go into the tunnel."""
    ours, theirs = pair
    theirs.ip("address", "add", "198.18.0.1/32", "dev", "lo")
    ours.ip("route", "add", "default", "via", THEIRS)
    with DemoPeer(theirs, f"{SERVER}/16", (OURS, PORT)) as demo, \
            client(ours, simplevpn, THEIRS, "--allowed-ips", "0.0.0.0/0"):
        pings(ours, "198.18.0.1")
        arrived = [packet for packet in demo.received if packet[16:20] == b"\xc6\x12\0\1"]
        assert len(arrived) == 5


# ---- strangers ----

def test_strangers_change_nothing(lab, pair, simplevpn):
    """Neither who the peer is, nor where it is, nor whether the tunnel lives."""
    ours, theirs = pair
    stranger = lab.host("stranger")
    lab.veth(ours, "198.51.100.1/24", stranger, "198.51.100.9/24")
    with DemoPeer(theirs, f"{CLIENT}/16", (OURS, PORT)) as demo, \
            server(ours, simplevpn) as tunnel, wire.Capture(stranger, "ours") as cable:
        pings(ours, CLIENT)
        heard = len(demo.received)
        with stranger.network():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rubbish = [b"", b"\x45", b"hello", b"\xff" * 1400, b"\0" * 100]
        plausible = [ipv4(CLIENT, SERVER, b"x" * 40), ipv4(SERVER, CLIENT, b"y")]
        with sender:
            for datagram in rubbish + plausible:
                sender.sendto(datagram, ("198.51.100.1", PORT))
        count = len(rubbish) + len(plausible)
        wait_until(lambda: tunnel.drops().get("unknown_peer") == count, what="all were refused")
        status = tunnel.status()
        assert status["peers"][0]["endpoint"] == f"{THEIRS}:{PORT}"
        pings(ours, CLIENT)
        pings(theirs, SERVER)
        assert len(demo.received) == heard + 10
    assert [d for d in cable.datagrams() if d.source[0] == "198.51.100.1"] == []


def test_rubbish_from_the_peer_itself_is_counted_and_harmless(pair, simplevpn):
    ours, theirs = pair
    with DemoPeer(theirs, f"{CLIENT}/16", (OURS, PORT)) as demo, \
            server(ours, simplevpn) as tunnel:
        rubbish = [b"", b"\x45", b"\xff" * 1400, ipv4(CLIENT, SERVER, b"z" * 80)[:60],
                   ipv4(CLIENT, SERVER, version=5)]
        for datagram in rubbish:
            demo.send(datagram)
        before = tunnel.drops().get("inside_source_not_allowed", 0)  # the kernel's own IPv6
        demo.send(ipv4("192.0.2.77", SERVER))  # not one of its addresses
        wait_until(lambda: tunnel.drops().get("malformed_inside_packet") == len(rubbish) and
                   tunnel.drops().get("inside_source_not_allowed", 0) > before,
                   what="all were refused")
        pings(theirs, SERVER)


# ---- said loudly, chosen by nobody by accident ----

def test_it_is_said_at_start_and_in_every_status(pair, simplevpn):
    ours, _ = pair
    with server(ours, simplevpn) as tunnel:
        assert "event=insecure_plain" in tunnel.errors()
        assert "no encryption, no authentication" in tunnel.errors()
        table = ours.run(simplevpn, "status").stdout
        assert "INSECURE: no encryption, no authentication" in table
        status = tunnel.status()
        assert status["profile"] == "plain"
        assert status["public_key"] is None
        answer = _ask_control_socket(ours, "plain")
        assert "\nx_profile=plain\n" in answer
        assert "private_key" not in answer
        ready = ours.run(simplevpn, "status", "plain", "--check", "ready")
        assert ready.returncode == 0
        assert ours.run(simplevpn, "status", "plain", "--check", "handshake",
                        check=False).returncode == 7


def test_keys_are_refused_while_it_runs(pair, simplevpn):
    """Whoever sets a key must not believe that it protects anything."""
    ours, _ = pair
    with server(ours, simplevpn):
        answer = _ask_control_socket(ours, "plain", f"set=1\nprivate_key={'5a' * 32}\n\n")
        assert "\nerrno=0\n" not in answer
        answer = _ask_control_socket(ours, "plain")
        assert "\nprivate_key=" not in answer and "\nx_profile=plain\n" in answer


def _ask_control_socket(host, name, question="get=1\n\n"):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client_end:
        client_end.settimeout(10)
        client_end.connect(f"/proc/{host.pid}/root/run/wireguard/{name}.sock")
        client_end.sendall(question.encode())
        answer = b""
        while not answer.endswith(b"\n\n"):
            part = client_end.recv(65536)
            assert part, f"it hung up after {answer}"
            answer += part
    return "\n" + answer.decode()


def test_even_a_quiet_start_is_not_silent(pair, simplevpn):
    ours, _ = pair
    quiet = PlainTunnel(ours, simplevpn, "-q", "server", "--insecure-plain", "--peer", THEIRS)
    with quiet as tunnel:
        assert "no encryption" in tunnel.errors()


def test_a_wireguard_tunnel_says_that_it_is_one(host, simplevpn):
    host.write("/run/wg0.conf", CONFIG)
    with PlainTunnel(host, simplevpn, "server", "/run/wg0.conf", name="wg0") as tunnel:
        assert tunnel.status()["profile"] == "wireguard"
        assert "INSECURE" not in host.run(simplevpn, "status").stdout
        assert "insecure" not in tunnel.errors()


REFUSED = {
    "a file beside the flag": (["server", "--insecure-plain", "FILE", "--peer", THEIRS],
                               "takes no file"),
    "a server that is to learn its peer": (["server", "--insecure-plain"], "needs --peer"),
    "a client without a server": (["client", "--insecure-plain"], "needs --endpoint"),
    "options of plain without the flag": (["server", "FILE", "--peer", THEIRS],
                                          "requires --insecure-plain"),
    "a name as a peer": (["server", "--insecure-plain", "--peer", "localhost"],
                         "is not ADDRESS[:PORT]"),
    "a port that is none": (["client", "--insecure-plain", "--endpoint", "192.0.2.1:0"],
                            "is not HOST[:PORT]"),
    "every address as a peer": (["server", "--insecure-plain", "--peer", "0.0.0.0"],
                                "cannot set up the peers"),
    "the flag where it does not belong": (["up", "--insecure-plain", "FILE"], "not expected"),
    "neither file nor flag": (["server"], "CONF is required"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(simplevpn, tmp_path, case):
    arguments, reason = REFUSED[case]
    (tmp_path / "wg0.conf").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "wg0.conf").chmod(0o600)
    arguments = [str(tmp_path / "wg0.conf") if part == "FILE" else part for part in arguments]
    done = run(simplevpn, "--json", *arguments)
    assert done.returncode in (2, 4)
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert reason in error["message"]
