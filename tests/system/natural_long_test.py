"""What takes minutes, with nothing shortened. All of it starts together, each pair on its own
hosts; the tests then wait for what they look at. About seven and a half minutes."""

import signal
import time
from dataclasses import dataclass, field

import pytest

import netns
import traffic
import wire
from netns import wait_until
from peers import Peer, Simplevpn, WireguardGo, join

OUTER = ("192.0.2.1", "192.0.2.2")
MINUTES_SEVEN = 7 * 60
STOPPED = 200
BYTES_PER_SECOND = 2_000_000
FOR_EVER = 1 << 40


@dataclass
class Run:
    left: Peer
    right: Peer
    tap: wire.Capture
    since: float = field(default_factory=time.monotonic)
    pinging: traffic.Pinging = None
    copies: list = field(default_factory=list)

    def wait_for(self, age):
        left = self.since + age - time.monotonic()
        wait_until(lambda: time.monotonic() >= self.since + age, timeout=max(left, 0) + 5)


def start(lab, program, names, only_handshakes):
    """The left one of a pair as in "ours-theirs" knows where the right one is."""
    hosts = [lab.host("left"), lab.host("right")]
    lab.veth(hosts[0], "192.0.2.1/24", hosts[1], "192.0.2.2/24")
    for host in hosts:
        host.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    peers = [Simplevpn(host, program) if name == "ours" else WireguardGo(host)
             for name, host in zip(names.split("-"), hosts)]
    for peer in peers:
        peer.addresses, peer.allowed = peer.addresses[:1], peer.allowed[:1]
    join(*peers, OUTER, initiator="left")
    tap = lab.enter_context(wire.Capture(hosts[0], "right", only_handshakes=only_handshakes))
    for peer in reversed(peers):
        peer.start()
    assert traffic.answers(hosts[0], peers[1].ipv4)
    for peer in peers:
        if isinstance(peer, Simplevpn):
            peer.settle()
        else:
            peer.widen()
    return Run(*peers, tap)


def load(lab, run):
    """100 pings a second, and a copy in each direction."""
    ends = (run.left, run.right)
    for source, target in (ends, ends[::-1]):
        run.copies.append(traffic.Copy(source.host, target.host, target.ipv4, FOR_EVER,
                                       bytes_per_second=BYTES_PER_SECOND).start())
    run.pinging = lab.enter_context(traffic.Pinging(run.left.host, run.right.ipv4))


@pytest.fixture(scope="module", name="runs")
def fixture_runs(simplevpn):
    reason = netns.missing("wireguard-go", "wg", tun=True)
    if reason:
        pytest.skip(reason)
    with netns.Lab() as lab:
        runs = {}
        for names in ("ours-theirs", "theirs-ours"):
            runs[names] = start(lab, simplevpn, names, only_handshakes=True)
            load(lab, runs[names])
        runs["idle"] = start(lab, simplevpn, "ours-ours", only_handshakes=False)
        for name in ("stopped initiator", "stopped responder"):
            names = "ours-theirs" if name == "stopped initiator" else "theirs-ours"
            runs[name] = start(lab, simplevpn, names, only_handshakes=False)
            ours = runs[name].left if name == "stopped initiator" else runs[name].right
            ours.send_signal(signal.SIGSTOP)
        runs["stopped initiator"].pinging = lab.enter_context(
            traffic.Pinging(runs["stopped initiator"].left.host,
                            runs["stopped initiator"].right.ipv4, interval=0.5))
        yield runs


def test_an_idle_tunnel_sleeps_for_minutes(runs):
    """From the last void deadline, 15 s after the last packet, until the keys are wiped."""
    run = runs["idle"]
    run.wait_for(20)
    before = [peer.sleeps() for peer in (run.left, run.right)]
    run.wait_for(140)
    assert [peer.sleeps() for peer in (run.left, run.right)] == before


@pytest.mark.parametrize("name", ["stopped initiator", "stopped responder"])
def test_after_a_stop_of_200_s_nothing_is_sent_under_the_old_key(runs, name):
    run = runs[name]
    ours, theirs = (run.left, run.right) if name == "stopped initiator" else (run.right, run.left)
    address = OUTER[0] if name == "stopped initiator" else OUTER[1]
    sent = [d for d in run.tap.datagrams() if d.source[0] == address]
    old_keys = {d.receiver for d in sent if d.kind == wire.DATA}
    assert old_keys
    run.wait_for(STOPPED)
    assert len([d for d in run.tap.datagrams() if d.source[0] == address]) == len(sent)
    ours.send_signal(signal.SIGCONT)
    wait_until(lambda: traffic.answers(ours.host, theirs.ipv4), timeout=6, what="session again")
    after = [d for d in run.tap.datagrams() if d.source[0] == address][len(sent):]
    assert after[0].kind in (wire.INITIATION, wire.RESPONSE)
    assert any(d.kind == wire.DATA for d in after)
    assert old_keys.isdisjoint(d.receiver for d in after if d.kind == wire.DATA)


def discarded(peer):
    """What the kernel threw away because the peer read too slowly: from its socket, its TUN."""
    sockets = [line.split()[-1] for line in peer.host.read("/proc/net/udp").splitlines()[1:]]
    device = next(line.split(":")[1].split() for line in
                  peer.host.read("/proc/net/dev").splitlines() if "wg0:" in line)
    return sum(map(int, sockets)) + int(device[11])


@pytest.mark.parametrize("names", ["ours-theirs", "theirs-ours"])
def test_seven_minutes_under_load_have_three_rekeys_and_lose_no_ping(runs, names):
    run = runs[names]
    run.wait_for(MINUTES_SEVEN)
    copied = [copy.copied for copy in run.copies]
    run.pinging.wait_for_more(20)
    run.pinging.stop()
    messages = run.tap.datagrams()
    assert [d.kind for d in messages] == [wire.INITIATION, wire.RESPONSE] * 4
    assert {d.source[0] for d in messages if d.kind == wire.INITIATION} == {OUTER[0]}
    assert min(copied) > BYTES_PER_SECOND * MINUTES_SEVEN // 2
    print(f"{names}: {run.pinging.result}, copied {copied} bytes")
    assert run.pinging.result.lost == ()
    assert discarded(run.left) == 0 == discarded(run.right)
    ours = run.left if names == "ours-theirs" else run.right
    assert ours.drops() == {}
