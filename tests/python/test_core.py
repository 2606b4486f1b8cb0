"""Two cores joined by hand: handshake, data both ways, replays, counters, events."""

import threading

import tunnel
from conftest import START, Pair, ip_packet, later
from tunnel import EventKind, Verdict


def test_two_cores_shake_hands_and_the_waiting_packet_arrives(pair):
    pair.connect()
    kinds = [event.kind for event in pair.alice.events()]
    assert EventKind.HANDSHAKE in kinds
    assert pair.alice.events() == []
    assert pair.bob.counters().handshakes_completed == 1


def test_data_goes_both_ways_in_place(connected):
    buffer = connected.buffer
    for source, target, sender, receiver in (
        ("10.9.0.1", "10.9.0.2", connected.alice, connected.bob),
        ("10.9.0.2", "10.9.0.1", connected.bob, connected.alice),
        ("fd09::1", "fd09::2", connected.alice, connected.bob),
        ("fd09::2", "fd09::1", connected.bob, connected.alice),
    ):
        packets = [ip_packet(source, target, bytes([i]) * i * 50) for i in range(8)]
        for i, packet in enumerate(packets):
            buffer[i] = packet
        assert sender.seal(buffer, START, 8) == [Verdict.SEND] * 8
        assert all(bytes(buffer[i]) != packets[i] for i in range(8))
        assert receiver.open(buffer, START, 8) == [Verdict.DELIVER] * 8
        assert [bytes(buffer[i]) for i in range(8)] == packets


def test_a_sealed_packet_says_where_it_goes_and_whose_it_is(connected):
    buffer = connected.buffer
    buffer[0] = ip_packet("10.9.0.1", "10.9.0.2")
    connected.alice.seal(buffer, START, 1)
    assert buffer.packet(0).remote == Pair.BOB
    assert buffer.packet(0).peer == connected.bob_id
    connected.bob.open(buffer, START, 1)
    assert buffer.packet(0).peer == connected.alice_id


def test_a_replayed_datagram_is_refused_and_counted(connected):
    buffer = connected.buffer
    buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", b"once")
    connected.alice.seal(buffer, START, 1)
    datagram = bytes(buffer[0])
    for i in range(4):
        buffer[i] = datagram
    verdicts = connected.bob.open(buffer, START, 4)
    assert verdicts == [Verdict.DELIVER] + [Verdict.DROP_REPLAY] * 3
    assert connected.bob.counters().drops == {Verdict.DROP_REPLAY: 3}


def test_a_forged_datagram_is_refused(connected):
    buffer = connected.buffer
    buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", b"true")
    connected.alice.seal(buffer, START, 1)
    buffer[0][20] ^= 1
    assert connected.bob.open(buffer, START, 1) == [Verdict.DROP_FORGED]


def test_a_source_that_is_not_the_peers_is_refused(connected):
    connected.alice.set_peer(connected.bob.public_key, allowed_ips=["10.9.0.3"])
    connected.buffer[0] = ip_packet("10.9.0.77", "10.9.0.2")
    assert connected.alice.seal(connected.buffer, START, 1) == [Verdict.SEND]
    assert connected.bob.open(connected.buffer, START, 1) == [Verdict.DROP_NOT_ALLOWED]


def test_a_session_ends_when_time_says_so(connected):
    connected.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2")
    assert connected.alice.seal(connected.buffer, later(179), 1) == [Verdict.SEND]
    connected.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2")
    assert connected.alice.seal(connected.buffer, later(181), 1) == [Verdict.HELD]


def test_the_deadline_is_none_until_something_is_pending(pair):
    assert pair.alice.deadline is None
    pair.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2")
    pair.alice.seal(pair.buffer, START, 1)
    assert pair.alice.deadline <= START.mono_ns


def test_a_datagram_is_received_into_the_buffer_without_a_copy(connected):
    connected.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", b"in place")
    connected.alice.seal(connected.buffer, START, 1)
    datagram = bytes(connected.buffer[0])
    packet = connected.buffer.packet(1)
    packet.space()[: len(datagram)] = datagram  # as socket.recv_into would
    packet.length = len(datagram)
    connected.buffer[0] = b""
    verdicts = connected.bob.open(connected.buffer, START, 2)
    assert verdicts == [Verdict.DROP_MALFORMED, Verdict.DELIVER]
    assert bytes(packet.data).endswith(b"in place")


def test_an_unknown_initiator_is_named_in_an_event(pair):
    stranger = tunnel.Core(tunnel.PrivateKey.generate())
    stranger.set_peer(pair.bob.public_key, allowed_ips=["::/0"], endpoint=Pair.BOB)
    pair.buffer[0] = ip_packet("fd09::9", "fd09::2")
    stranger.seal(pair.buffer, START, 1)
    assert pair.carry(stranger, pair.bob) == [Verdict.CONSUMED]
    assert pair.bob.poll(pair.buffer, START) == 0
    events = [e for e in pair.bob.events() if e.kind == EventKind.UNKNOWN_KEY]
    assert [e.public_key for e in events] == [stranger.public_key]


def test_the_same_seed_makes_the_same_datagrams():
    def initiation():
        key = tunnel.PrivateKey.from_bytes(bytes(range(32)))
        core = tunnel.Core(key, test_seed=b"s" * 32)
        core.set_peer(tunnel.PrivateKey.from_bytes(b"p" * 32).public_key(),
                      allowed_ips=["0.0.0.0/0"], endpoint=Pair.BOB)
        buffer = tunnel.PacketBuffer(1)
        buffer[0] = ip_packet("10.9.0.1", "10.9.0.2")
        core.seal(buffer, START, 1)
        assert core.poll(buffer, START) == 1
        return bytes(buffer[0])

    assert len(initiation()) == 148
    assert initiation() == initiation()


def test_threads_may_share_a_core(connected):
    delivered = []

    def work():
        buffer = tunnel.PacketBuffer(8)
        for _ in range(200):
            for i in range(8):
                buffer[i] = ip_packet("10.9.0.1", "10.9.0.2", b"x" * 1000)
            assert connected.alice.seal(buffer, START) == [Verdict.SEND] * 8
            delivered.extend(connected.bob.open(buffer, START))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert delivered == [Verdict.DELIVER] * (4 * 200 * 8)


def test_time_is_read_from_the_clocks_when_asked_for():
    first, second = tunnel.Time.now(), tunnel.Time.now()
    assert second.mono_ns >= first.mono_ns > 0
    assert first.wall_ns > START.wall_ns
