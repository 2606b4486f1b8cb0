"""Peers read, listed, woken and forgotten, and the settings of a core that change later."""

import pytest
import tunnel
from conftest import START, Pair, ip_packet, later
from tunnel import EventKind, Verdict

KEYS = [tunnel.PrivateKey.generate().public_key() for _ in range(3)]


@pytest.fixture
def core():
    return tunnel.Core(tunnel.PrivateKey.generate())


def test_a_peer_is_read_as_it_was_set(core):
    secret = tunnel.PresharedKey.generate()
    stamp = bytes(range(12))
    peer = core.set_peer(KEYS[0], endpoint="[2001:db8::2]:51820", preshared_key=secret,
                         keepalive=25, allowed_ips=["10.9.0.0/24", "fd09::2"],
                         greatest_timestamp=stamp)
    for name in (peer, KEYS[0]):
        info = core.get_peer(name)
        assert info.public_key == KEYS[0]
        assert info.preshared_key == secret
        assert info.endpoint == "[2001:db8::2]:51820"
        assert sorted(info.allowed_ips) == ["10.9.0.0/24", "fd09::2/128"]
        assert info.keepalive == 25
        assert info.greatest_timestamp == stamp
        assert info.has_session is False
        assert info.latest_handshake_ns == info.rx_bytes == info.tx_bytes == 0


def test_a_peer_of_which_nothing_is_known(core):
    info = core.get_peer(core.set_peer(KEYS[0]))
    assert info.preshared_key is None and info.endpoint is None
    assert info.allowed_ips == [] and info.keepalive == 0


def test_what_was_read_does_not_follow_the_core(pair):
    before = pair.alice.get_peer(pair.bob_id)
    pair.connect()
    after = pair.alice.get_peer(pair.bob_id)
    pair.alice.close()
    assert (before.has_session, after.has_session) == (False, True)
    assert before.tx_bytes == 0 and after.tx_bytes > after.rx_bytes > 0
    assert after.latest_handshake_ns == START.wall_ns


def test_the_stored_timestamp_refuses_an_old_initiation(pair):
    pair.connect()
    stamp = pair.bob.get_peer(pair.alice_id).greatest_timestamp
    assert stamp != bytes(12)
    pair.bob.remove_peer(pair.alice_id)
    pair.bob.set_peer(pair.alice.public_key, greatest_timestamp=b"\xff" * 12)
    pair.alice.initiate(later(6), pair.bob_id)
    assert pair.alice.poll(pair.buffer, later(6)) == 1
    pair.buffer.packet(0).remote = Pair.ALICE
    assert pair.bob.open(pair.buffer, later(6), 1) == [Verdict.CONSUMED]
    assert pair.bob.poll(pair.buffer, later(6)) == 0
    assert pair.bob.counters().drops == {Verdict.DROP_OLD_TIMESTAMP: 1}


def test_peers_are_listed_while_they_come_and_go(core):
    ids = [core.set_peer(key) for key in KEYS]
    assert sorted(core.peers()) == sorted(ids)
    listed = core.peers()
    first = next(listed)
    core.remove_peer(first)
    rest = list(listed)
    assert first not in rest and sorted([first, *rest]) == sorted(ids)
    assert list(listed) == []
    assert sorted(core.peers()) == sorted(rest)


def test_a_list_of_peers_outlives_the_core_it_was_asked_of():
    core = tunnel.Core()
    peer = core.set_peer(KEYS[0])
    listed = core.peers()
    del core
    assert list(listed) == [peer]


@pytest.mark.parametrize("use", ["get_peer", "remove_peer"])
def test_a_peer_that_is_not_there_is_not_found(core, use):
    for peer in (0, 1, 2**64 - 1, KEYS[0]):
        with pytest.raises(tunnel.NotFound):
            getattr(core, use)(peer)
        with pytest.raises(tunnel.NotFound):
            core.initiate(START, peer)


@pytest.mark.parametrize("peer", ["1", 1.0, True, b"x" * 32, [1], object(),
                                  tunnel.PrivateKey.generate(), tunnel.PresharedKey.generate()])
def test_a_peer_is_named_by_id_or_public_key_alone(core, peer):
    for use in (core.get_peer, core.remove_peer, lambda p: core.initiate(START, p)):
        with pytest.raises(TypeError):
            use(peer)
    with pytest.raises(TypeError):
        core.get_peer(None)


@pytest.mark.parametrize("peer", [-1, 2**64, 2**200])
def test_an_id_out_of_range_is_refused(core, peer):
    for use in (core.get_peer, core.remove_peer, lambda p: core.initiate(START, p)):
        with pytest.raises(tunnel.ArgumentError):
            use(peer)


def test_a_handshake_is_made_on_demand(pair):
    pair.alice.initiate(START, pair.bob.public_key)
    assert pair.carry(pair.alice, pair.bob) == [Verdict.CONSUMED]
    assert pair.carry(pair.bob, pair.alice) == [Verdict.CONSUMED]
    assert pair.carry(pair.alice, pair.bob) == [Verdict.CONSUMED]
    assert pair.alice.get_peer(pair.bob_id).has_session
    with pytest.raises(tunnel.TunnelError):  # bob learnt where alice is; nobody knows of KEYS[0]
        pair.bob.initiate(START, pair.bob.set_peer(KEYS[0]))


def test_every_known_endpoint_is_tried_when_no_peer_is_named(core):
    for i, key in enumerate(KEYS):
        core.set_peer(key, endpoint=f"192.0.2.{i + 1}:51820")
    core.initiate(START)
    buffer = tunnel.PacketBuffer(4)
    assert core.poll(buffer, later(0.01)) == len(KEYS)
    assert {buffer.packet(i).remote for i in range(3)} == {f"192.0.2.{i}:51820" for i in (1, 2, 3)}


def test_a_changed_network_makes_sessions_show_themselves(connected):
    assert connected.alice.poll(connected.buffer, later(1)) == 0
    connected.alice.network_changed(later(1))
    assert connected.carry(connected.alice, connected.bob, later(1)) == [Verdict.CONSUMED]
    assert connected.bob.counters().keepalives_received == 1


def test_sessions_are_forgotten_on_demand(connected):
    connected.alice.forget_sessions()
    info = connected.alice.get_peer(connected.bob_id)
    assert not info.has_session and info.endpoint == Pair.BOB
    assert connected.alice.counters().sessions == 0


@pytest.mark.parametrize("now", [None, 1, (1,), (1.0, 2), [1, 2], "now"])
def test_times_of_the_wrong_type_are_refused(core, now):
    for use in (core.initiate, core.network_changed):
        with pytest.raises(TypeError):
            use(now)


def test_the_mtu_bounds_the_padding(connected):
    connected.alice.set_mtu(100)
    connected.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", bytes(79))  # 99 bytes
    connected.alice.seal(connected.buffer, START, 1)
    assert len(connected.buffer[0]) == 100 + 32
    connected.alice.set_mtu(0)
    connected.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", bytes(79))
    connected.alice.seal(connected.buffer, START, 1)
    assert len(connected.buffer[0]) == 112 + 32


@pytest.mark.parametrize("mtu, error", [(None, TypeError), ("1420", TypeError), (1.5, TypeError),
                                        (True, TypeError), (-1, tunnel.ArgumentError),
                                        (65536, tunnel.ArgumentError),
                                        (2**64, tunnel.ArgumentError)])
def test_an_mtu_that_is_none_is_refused(core, mtu, error):
    with pytest.raises(error):
        core.set_mtu(mtu)


def test_a_private_key_is_changed_and_forgotten(connected):
    key = tunnel.PrivateKey.generate()
    connected.alice.set_private_key(key)
    assert connected.alice.public_key == key.public_key()
    assert not connected.alice.get_peer(connected.bob_id).has_session
    connected.alice.set_private_key(None)
    with pytest.raises(tunnel.NotFound):
        connected.alice.public_key
    connected.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2")
    assert connected.alice.seal(connected.buffer, START, 1) == [Verdict.DROP_NO_KEY]


def test_a_new_key_of_a_peer_removes_that_peer(core):
    key = tunnel.PrivateKey.generate()
    core.set_peer(key.public_key())
    core.set_private_key(key)
    assert list(core.peers()) == []


@pytest.mark.parametrize("key", ["text", b"x" * 32, 5, KEYS[0], tunnel.PresharedKey.generate()])
def test_only_private_keys_are_private_keys(core, key):
    before = core.public_key
    with pytest.raises(TypeError):
        core.set_private_key(key)
    assert core.public_key == before


@pytest.mark.parametrize("stamp, error", [("x" * 12, TypeError), (5, TypeError),
                                          ([0] * 12, TypeError),
                                          (b"", tunnel.ArgumentError),
                                          (bytes(11), tunnel.ArgumentError),
                                          (bytes(13), tunnel.ArgumentError)])
def test_a_timestamp_has_twelve_bytes(core, stamp, error):
    with pytest.raises(error):
        core.set_peer(KEYS[0], greatest_timestamp=stamp)
    assert core.counters().peers == 0


def test_released_and_strided_views_are_no_timestamps(core):
    view = memoryview(bytearray(24))
    with pytest.raises(BufferError):
        core.set_peer(KEYS[0], greatest_timestamp=view[::2])
    view.release()
    with pytest.raises(ValueError, match="released"):
        core.set_peer(KEYS[0], greatest_timestamp=view)
    assert core.counters().peers == 0


@pytest.mark.parametrize("last", [0x00, 0x80])
@pytest.mark.parametrize("first", [0, 1])
def test_a_public_key_of_low_order_is_no_peer(core, first, last):
    with pytest.raises(tunnel.InvalidKey):
        core.set_peer(tunnel.PublicKey.from_bytes(bytes([first]) + bytes(30) + bytes([last])))


def test_a_closed_core_has_no_peers_and_no_settings(core):
    peer = core.set_peer(KEYS[0])
    listed = core.peers()
    core.close()
    for use in (lambda: core.get_peer(peer), lambda: core.get_peer(KEYS[0]),
                lambda: list(core.peers()), lambda: next(listed),
                lambda: core.remove_peer(peer), lambda: core.initiate(START),
                lambda: core.network_changed(START), core.forget_sessions,
                lambda: core.set_mtu(1280), lambda: core.set_private_key(None)):
        with pytest.raises(tunnel.Closed):
            use()


def test_peer_infos_are_neither_made_nor_changed(core):
    info = core.get_peer(core.set_peer(KEYS[0]))
    with pytest.raises(TypeError):
        tunnel.PeerInfo()
    with pytest.raises(AttributeError):
        info.keepalive = 5


def test_every_method_says_what_it_does():
    methods = [name for name in vars(tunnel.Core) if not name.startswith("_")]
    assert "get_peer" in methods
    for name in methods:
        said = getattr(tunnel.Core, name).__doc__.strip().splitlines()
        if said[0].startswith(f"{name}("):
            del said[0]  # pybind11's signature
        assert any(said), name


def test_a_handshake_that_nobody_answers_is_an_event(core):
    core.set_peer(KEYS[0], endpoint="192.0.2.1:51820")
    core.initiate(START)
    buffer = tunnel.PacketBuffer(1)
    for second in range(1, 150):
        core.poll(buffer, later(second))
    assert EventKind.HANDSHAKE_FAILED in [event.kind for event in core.events()]
