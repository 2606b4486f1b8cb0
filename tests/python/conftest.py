"""Two cores that know each other, and a wire between them."""

import ipaddress
import struct

import pytest
import tunnel

START = tunnel.Time(1_000_000_000, 1_700_000_000_000_000_000)


def later(seconds, start=START):
    added = int(seconds * 1_000_000_000)
    return tunnel.Time(start.mono_ns + added, start.wall_ns + added)


def ip_packet(source, destination, payload=b""):
    """An IPv4 or IPv6 packet of an experimental protocol."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if source.version == 4:
        header = struct.pack(">BxHxxxxBBxx", 0x45, 20 + len(payload), 64, 253)
    else:
        header = struct.pack(">BxxxHBB", 0x60, len(payload), 253, 64)
    return header + source.packed + destination.packed + payload


class Pair:
    """Alice (10.9.0.1, fd09::1) knows where Bob is (10.9.0.2, fd09::2), not the other way round."""

    ALICE, BOB = "192.0.2.1:51820", "[2001:db8::2]:51820"

    def __init__(self, **options):
        keys = tunnel.PrivateKey.generate(), tunnel.PrivateKey.generate()
        secret = tunnel.PresharedKey.generate()
        self.alice, self.bob = (tunnel.Core(key, **options) for key in keys)
        self.bob_id = self.alice.set_peer(keys[1].public_key(), preshared_key=secret,
                                          allowed_ips=["10.9.0.2/32", "fd09::2"], endpoint=self.BOB)
        self.alice_id = self.bob.set_peer(keys[0].public_key(), preshared_key=secret,
                                          allowed_ips=["10.9.0.1/32", "fd09::1"])
        self.buffer = tunnel.PacketBuffer(16)

    def carry(self, sender, receiver, now=START):
        """Takes what the sender's poll made to the receiver; returns the verdicts there."""
        count = sender.poll(self.buffer, now)
        for i in range(count):
            self.buffer.packet(i).remote = self.ALICE if sender is self.alice else self.BOB
        return receiver.open(self.buffer, now, count)

    def connect(self, now=START):
        self.buffer[0] = ip_packet("10.9.0.1", "10.9.0.2", b"first")
        assert self.alice.seal(self.buffer, now, 1) == [tunnel.Verdict.HELD]
        assert self.carry(self.alice, self.bob, now) == [tunnel.Verdict.CONSUMED]
        assert self.carry(self.bob, self.alice, now) == [tunnel.Verdict.CONSUMED]
        assert self.carry(self.alice, self.bob, now) == [tunnel.Verdict.DELIVER]
        assert bytes(self.buffer[0])[20:] == b"first"
        return self


@pytest.fixture
def pair():
    return Pair()


@pytest.fixture
def connected():
    return Pair().connect()
