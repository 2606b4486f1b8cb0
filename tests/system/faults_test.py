"""A tunnel in use when something is taken away from it: interface, network, descriptors, peer."""

import re
import signal
import subprocess
import time

import pytest

import traffic
from netns import wait_until
from peers import Simplevpn, join
from program import END_S

OUTER = ("192.0.2.1", "192.0.2.2")
TIMEOUT = 3  # exit status of a command that got no answer


@pytest.fixture(name="both")
def fixture_both(cable, simplevpn):
    """Two of ours with a session, on hosts without IPv6: nothing speaks there unasked."""
    for host in cable:
        host.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    left, right = (Simplevpn(host, simplevpn) for host in cable)
    for peer in (left, right):
        peer.addresses, peer.allowed = peer.addresses[:1], peer.allowed[:1]
    join(left, right, OUTER)
    for peer in (left, right):
        peer.start()
    assert traffic.answers(left.host, right.ipv4)
    for peer in (left, right):
        peer.settle()
    return left, right


@pytest.fixture(name="copying")
def fixture_copying(both):
    """A copy under way, longer than any test."""
    left, right = both
    copy = traffic.Copy(left.host, right.host, right.ipv4, 1 << 40).start()
    wait_until(lambda: copy.copied > 1 << 20, what="copy runs")
    return copy


# ---- the end ----

def assert_nothing_left(peer):
    assert not peer.host.has_interface("wg0")
    assert not peer.host.exists("/run/wireguard/wg0.sock")
    assert "10.9.0" not in peer.host.ip("route")


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_in_mid_copy_ends_it_within_two_seconds(both, copying, number, status):
    left, _ = both
    assert left.stop(number, timeout=END_S) == status, left.errors()
    assert_nothing_left(left)


def test_an_interface_deleted_in_mid_copy_is_an_error_that_says_so(both, copying):
    left, _ = both
    left.host.ip("link", "del", "wg0")
    assert left.process.wait(timeout=END_S) == 1
    assert "the interface wg0 is gone" in left.errors() and "hint:" in left.errors()
    assert_nothing_left(left)
    left.start()
    assert traffic.answers(left.host, both[1].ipv4, patience=3)


def test_an_interface_set_down_and_up_goes_on(both):
    left, right = both
    with traffic.Pinging(left.host, right.ipv4) as pinging:
        pinging.wait_for_more(5)
        left.host.ip("link", "set", "wg0", "down")
        left.host.ip("link", "set", "wg0", "up")
        pinging.wait_for_more(20)
    assert left.running()


# ---- the network ----

def test_a_cable_pulled_and_put_back_is_noticed_at_once(both):
    left, right = both
    with traffic.Pinging(right.host, left.ipv4) as pinging:
        pinging.wait_for_more(5)
        left.host.ip("link", "set", "right", "down")
        before = pinging.answered()
        wait_until(lambda: "NO-CARRIER" in right.host.ip("link", "show", "dev", "left"),
                   what="cable pulled")
        left.host.ip("link", "set", "right", "up")
        pinging.wait_for_more(20, timeout=3)
    assert pinging.answered() > before
    assert left.counters()["handshakes_completed"] <= 2


def test_no_route_to_the_peer_is_survived(both):
    """Also with a route of type prohibit, for which the kernel answers EACCES."""
    left, right = both
    for kind in ("unreachable", "prohibit", "blackhole"):
        left.host.ip("route", "add", kind, "192.0.2.2/32")
        assert not traffic.answers(left.host, right.ipv4)
        left.host.ip("route", "del", kind, "192.0.2.2/32")
        assert traffic.answers(left.host, right.ipv4)
    assert left.running()


def test_what_interface_and_socket_refuse_is_counted_and_shown(both):
    """Also `wg show` works then: it skips the keys of ours that it does not know."""
    left, right = both
    left.host.ip("route", "add", "unreachable", "192.0.2.2/32")
    assert not traffic.answers(left.host, right.ipv4)
    left.host.ip("route", "del", "unreachable", "192.0.2.2/32")
    left.process.send_signal(signal.SIGSTOP)  # or it would be set up again
    left.host.ip("link", "set", "wg0", "down")
    assert not traffic.answers(right.host, left.ipv4)
    engine = left.status()["engine"]
    assert list(engine["transport_drops"]) == ["unreachable"]
    assert list(engine["device_drops"]) == ["input_or_output_error"]
    shown = left.host.run(left.program, "status", "wg0").stdout
    assert re.search(r"^  dropped   interface: \d+ \S.*   socket: \d+ unreachable$", shown, re.M)
    assert left.seen(right).latest_handshake > 0
    left.process.send_signal(signal.SIGCONT)


def test_a_peer_that_is_away_costs_nothing(both):
    """Its host answers every datagram with "port unreachable"."""
    left, right = both
    right.kill()
    ticks = left.cpu_ticks()
    assert traffic.ping(left.host, right.ipv4, count=200, interval=0.01).received == 0
    assert left.cpu_ticks() - ticks < 50  # half a second
    right.start()
    with traffic.Pinging(left.host, right.ipv4) as pinging:
        pinging.wait_for_more(5, timeout=3)


# ---- descriptors ----

def limit_descriptors(peer, limit):
    """As the process's own user: for others that takes a power which root may not have here."""
    process = peer.pid()
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        status = file.read()
    user, group = (re.search(rf"^{name}:\s+(\d+)", status, re.M).group(1)
                   for name in ("Uid", "Gid"))
    subprocess.run(["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "prlimit",
                    f"--pid={process}", f"--nofile={limit}:"], check=True)


def status_works(peer):
    """A daemon that cannot answer must not hang its client."""
    done = peer.host.run("timeout", "--foreground", 8, peer.program, "status", "wg0", check=False)
    assert done.returncode in (0, TIMEOUT), done.stderr
    return done.returncode == 0


def test_without_descriptors_packets_go_on_and_it_recovers(both):
    """New addresses want a look at the network, clients of the control socket a connection each."""
    left, right = both
    assert status_works(left)
    limit_descriptors(left, 3)
    with traffic.Pinging(right.host, left.ipv4) as pinging:
        pinging.wait_for_more(20)
        ticks, since = left.cpu_ticks(), time.monotonic()
        assert not status_works(left)
        left.host.ip("address", "add", "192.0.2.7/24", "dev", "right")
        left.host.ip("address", "del", "192.0.2.7/24", "dev", "right")
        pinging.wait_for_more(100)
        assert left.cpu_ticks() - ticks < 20 * (time.monotonic() - since)  # it does not spin
    assert pinging.result.lost == ()
    limit_descriptors(left, 1024)
    wait_until(lambda: status_works(left), what="status works again")
    assert left.stop(timeout=END_S) == 0


# ---- nothing to do ----

def test_an_idle_tunnel_does_not_wake_up(both):
    """Between the last packet and the keepalive 10 s later there is at most one deadline that turns
    out to be void: deadlines are not taken back, so that no packet needs to move one."""
    before = [peer.sleeps() for peer in both]
    time.sleep(4)  # the measurement: nothing is waited for
    assert all(peer.sleeps() - was <= 1 for peer, was in zip(both, before))


def test_an_idle_tunnel_without_a_peer_in_reach_only_tries_a_handshake(cable, simplevpn):
    left, right = (Simplevpn(host, simplevpn) for host in cable)
    join(left, right, OUTER)
    left.start()
    left.settle()
    ticks = left.cpu_ticks()
    assert not traffic.answers(left.host, right.ipv4, patience=3)
    assert left.cpu_ticks() - ticks <= 10  # of 300
    assert left.counters()["handshakes_initiated"] <= 3
