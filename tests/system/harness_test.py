"""The harness itself, with two wireguard-go: what a test sees when nothing of ours takes part."""

import shutil
import signal

import pytest

import traffic
import wire
from netns import wait_until
from peers import WireguardGo, join, same_bytes

OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}


def is_stopped(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return "T (stopped)" in file.read()


@pytest.mark.parametrize("family", [4, 6])
def test_two_wireguard_go_are_peers(cable, family):
    left, right = (WireguardGo(host) for host in cable)
    join(left, right, OUTER[family], initiator="left")
    with wire.Capture(cable[0], "right") as tap:
        left.start()
        right.start()
        assert traffic.ping(left.host, right.ipv4, count=500).lost == ()
        assert traffic.answers(right.host, left.ipv6)
        wait_until(lambda: same_bytes(left, right), what="equal counters")
        for source, target in ((left, right), (right, left)):
            traffic.copy(source.host, target.host, target.ipv4, 2 << 20)
        wait_until(lambda: tap.kinds()[wire.DATA] > 1000, what="data on the cable")
    kinds = tap.kinds()
    assert kinds[wire.INITIATION] == kinds[wire.RESPONSE] == 1 and kinds[None] == 0
    assert {d.source[0] for d in tap.datagrams()} == set(OUTER[family])
    assert tap.missed == 0


def test_a_program_that_was_stopped_leaves_nothing_behind(lab):
    host = lab.host()
    process = host.popen("sleep", "1000")
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(process.pid), what="the nsenter above it stops, too")
    host.close()
    assert process.poll() is not None


def test_background_pings_are_counted(cable):
    left, right = cable
    with traffic.Pinging(left, "192.0.2.2") as pinging:
        pinging.wait_for_more(10)
    assert pinging.result.received >= 10 and pinging.result.lost == ()


def test_a_copy_that_is_cut_off_fails(cable):
    left, right = cable
    copying = traffic.Copy(left, right, "192.0.2.2", 1 << 30).start()
    wait_until(lambda: copying.copied > 1 << 20, what="copy runs")
    right.ip("link", "set", "left", "down")
    with pytest.raises(TimeoutError):
        copying.wait(timeout=0.5)


def test_tshark_and_we_read_a_capture_alike(cable, tmp_path):
    """Only a second opinion, where there is a tshark: the tests do not depend on it."""
    left, right = (WireguardGo(host) for host in cable)
    join(left, right, OUTER[4])
    with wire.Capture(cable[0], "right") as tap:
        left.start()
        right.start()
        assert traffic.ping(left.host, right.ipv4, count=50).lost == ()
        wait_until(lambda: tap.kinds()[wire.DATA] >= 100, what="data on the cable")
    ours = [d.kind for d in tap.datagrams()]
    assert set(ours) == {wire.INITIATION, wire.RESPONSE, wire.DATA}
    if shutil.which("tshark"):
        assert wire.tshark_kinds(tap, tmp_path / "cable.pcap") == ours
