"""Arguments of the wrong type, out of range, released, or shared with a thread."""

import copy
import ipaddress
import pickle
import threading

import pytest
import tunnel
from conftest import START, ip_packet

KEY = tunnel.PrivateKey.generate().public_key()


@pytest.fixture
def core():
    return tunnel.Core(tunnel.PrivateKey.generate())


@pytest.mark.parametrize("now", [None, 1, 1.5, "now", (1,), (1, 2, 3), [1, 2], (1.0, 2), (None, 1),
                                 (True, 1)])
def test_a_time_of_the_wrong_type_is_refused(core, now):
    with pytest.raises(TypeError):
        core.poll(tunnel.PacketBuffer(1), now)


@pytest.mark.parametrize("now", [(-1, 0), (0, -1), (2**64, 0), (2**64 - 1, 0), (0, 2**200)])
def test_a_time_out_of_range_is_refused(core, now):
    with pytest.raises(tunnel.ArgumentError, match="must be from 0 to"):
        core.seal(tunnel.PacketBuffer(1), now)


@pytest.mark.parametrize("arguments", [(None,), ("4",), (1.5,), (True,), (1, "9"), (1, None)])
def test_a_buffer_of_no_size_is_refused(arguments):
    with pytest.raises(TypeError):
        tunnel.PacketBuffer(*arguments)


@pytest.mark.parametrize("arguments", [(0,), (-1,), (65537,), (2**63,), (2**64,), (1, -1),
                                       (1, 65536), (65536, 65535)])
def test_a_buffer_of_a_bad_size_is_refused(arguments):
    with pytest.raises(tunnel.ArgumentError):
        tunnel.PacketBuffer(*arguments)


@pytest.mark.parametrize("index", [2, -3, 10**6, 2**62])
def test_a_slot_that_does_not_exist_is_an_index_error(index):
    buffer = tunnel.PacketBuffer(2)
    for use in (buffer.packet, buffer.__getitem__, lambda i: buffer.__setitem__(i, b"x")):
        with pytest.raises(IndexError):
            use(index)


@pytest.mark.parametrize("data", [None, 5, "text", [1, 2], object()])
def test_only_bytes_go_into_a_slot(data):
    with pytest.raises(TypeError):
        tunnel.PacketBuffer(1)[0] = data


def test_a_packet_larger_than_its_slot_is_refused():
    buffer = tunnel.PacketBuffer(2)
    room = buffer.packet(0).room
    buffer[0] = b"x" * room
    with pytest.raises(tunnel.ArgumentError, match="larger"):
        buffer[0] = b"x" * (room + 1)
    with pytest.raises(tunnel.ArgumentError):
        buffer.packet(0).length = room + 1
    with pytest.raises(tunnel.ArgumentError):
        buffer.packet(0).length = -1
    assert len(buffer[0]) == room


def test_released_and_strided_views_are_refused():
    buffer = tunnel.PacketBuffer(1)
    view = memoryview(bytearray(40))
    with pytest.raises(BufferError):
        buffer[0] = view[::2]
    view.release()
    with pytest.raises(ValueError, match="released"):
        buffer[0] = view


def test_a_view_outlives_its_buffer():
    buffer = tunnel.PacketBuffer(2)
    buffer[1] = b"still here"
    view = buffer[1]
    packet = buffer.packet(1)
    del buffer
    assert bytes(view) == b"still here"
    assert len(packet) == 10


def test_a_packet_may_be_copied_over_itself():
    buffer = tunnel.PacketBuffer(1)
    buffer[0] = b"abcdef"
    buffer[0] = buffer[0][2:]
    assert bytes(buffer[0]) == b"cdef"


def test_the_buffer_protocol_shows_all_memory():
    buffer = tunnel.PacketBuffer(3)
    buffer[1] = b"middle"
    with memoryview(buffer) as view:
        assert view.nbytes == 3 * buffer.stride
        assert view.contiguous and not view.readonly
        assert b"middle" in view[buffer.stride : 2 * buffer.stride].tobytes()


@pytest.mark.parametrize("count", [-1, 3, 2**64])
def test_a_count_beyond_the_buffer_is_refused(core, count):
    with pytest.raises(tunnel.ArgumentError):
        core.seal(tunnel.PacketBuffer(2), START, count)


@pytest.mark.parametrize("packets", [None, b"bytes", bytearray(4096), [b"packet"]])
def test_only_packet_buffers_are_sealed(core, packets):
    with pytest.raises(TypeError):
        core.seal(packets, START)


@pytest.mark.parametrize("options", [
    {"allowed_ips": "10.0.0.0/8"}, {"allowed_ips": b"10.0.0.0/8"}, {"allowed_ips": 5},
    {"endpoint": 5}, {"endpoint": b"192.0.2.1:1"}, {"keepalive": "25"}, {"keepalive": 2.5},
    {"preshared_key": "secret"}, {"preshared_key": tunnel.PrivateKey.generate()}, {"nonsense": 1},
])
def test_a_peer_option_of_the_wrong_type_is_refused(core, options):
    with pytest.raises(TypeError):
        core.set_peer(KEY, **options)
    assert core.counters().peers == 0


@pytest.mark.parametrize("options", [
    {"allowed_ips": ["10.0.0.0/33"]}, {"allowed_ips": [""]}, {"allowed_ips": [None]},
    {"allowed_ips": ["10.0.0.0/8", "x"]}, {"endpoint": "example.org:1"}, {"endpoint": ""},
    {"endpoint": "192.0.2.1"}, {"keepalive": 65536}, {"keepalive": -1},
    {"endpoint": "192.0.2.1:1\0"}, {"endpoint": "\ud800:1"},
])
def test_a_peer_option_out_of_range_is_refused(core, options):
    with pytest.raises(ValueError):
        core.set_peer(KEY, **options)
    assert core.counters().peers == 0


def test_networks_and_addresses_of_the_standard_library_are_prefixes(core):
    core.set_peer(KEY, endpoint="192.0.2.1:1", allowed_ips=[
        ipaddress.ip_network("10.9.0.0/24"), ipaddress.ip_address("fd00::1")])
    buffer = tunnel.PacketBuffer(2)
    buffer[0] = ip_packet("10.1.1.1", "10.9.0.200")
    buffer[1] = ip_packet("fd00::9", "fd00::1")
    assert core.seal(buffer, START) == [tunnel.Verdict.HELD] * 2


def test_peers_that_are_unknown_known_or_ourselves(core):
    with pytest.raises(tunnel.NotFound) as caught:
        core.remove_peer(KEY)
    assert isinstance(caught.value, LookupError)
    assert caught.value.status < 0
    with pytest.raises(tunnel.NotFound):
        core.remove_peer(2**64 - 1)
    with pytest.raises(tunnel.NotFound):
        core.set_peer(KEY, update_only=True)
    with pytest.raises(tunnel.InvalidKey):
        core.set_peer(core.public_key)
    peer = core.set_peer(KEY)
    with pytest.raises(tunnel.Exists):
        core.set_peer(KEY, create_only=True)
    assert core.find_peer(KEY) == peer
    core.remove_peer(KEY)
    assert core.counters().peers == 0


@pytest.mark.parametrize("options", [{"mtu": "x"}, {"test_seed": 5}, {"test_seed": "x" * 32},
                                     {"bogus": 1}, {"max_peers": 1.5}])
def test_a_core_option_of_the_wrong_type_is_refused(options):
    with pytest.raises(TypeError):
        tunnel.Core(**options)


@pytest.mark.parametrize("options", [{"mtu": -1}, {"mtu": 65536}, {"test_seed": b"short"},
                                     {"max_peers": 2**40}])
def test_a_core_option_out_of_range_is_refused(options):
    with pytest.raises(tunnel.ArgumentError):
        tunnel.Core(**options)


@pytest.mark.parametrize("key", [b"x" * 32, "text", 5, KEY])
def test_a_core_takes_only_private_keys(key):
    with pytest.raises(TypeError):
        tunnel.Core(key)


def test_a_closed_core_refuses_every_call():
    with tunnel.Core(tunnel.PrivateKey.generate()) as core:
        pass
    core.close()
    for use in (core.events, core.counters, lambda: core.deadline, lambda: core.public_key,
                lambda: core.set_peer(KEY), lambda: core.poll(tunnel.PacketBuffer(1), START)):
        with pytest.raises(tunnel.Closed):
            use()


def test_cores_and_buffers_are_neither_copied_nor_pickled(core):
    for thing in (core, tunnel.PacketBuffer(1)):
        for use in (copy.copy, pickle.dumps):
            with pytest.raises(TypeError):
                use(thing)


def test_a_buffer_shared_by_threads_is_refused_or_works(core):
    """While one thread's call has the buffer, others get BufferError: never a torn packet."""
    core.set_peer(KEY, endpoint="192.0.2.1:1", allowed_ips=["0.0.0.0/0"])
    buffer = tunnel.PacketBuffer(64)
    outcomes = []

    def work():
        for _ in range(300):
            try:
                buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", b"x" * 1200)
                outcomes.append(len(core.seal(buffer, START)))
                buffer.packet(0).length = 20
            except BufferError:
                outcomes.append(None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {64, None} and 64 in outcomes
