"""handshake.py - Noise IKpsk2 as the Noise specification has it, and WireGuard's messages with it.

The whitepaper writes the handshake out hash by hash; here it is derived from the generic pattern
instead, so that a misreading of the whitepaper cannot be in both implementations. test_handshake.py
checks the pattern against published Noise vectors first.
"""

import struct

from reference import aead_open, aead_seal, blake2s, counter_nonce, kdf, public_key, x25519

PATTERN = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
PROLOGUE = b"WireGuard v1 zx2c4 Jason@zx2c4.com"


class Noise:
    """Symmetric state of Noise, with the tokens of IKpsk2."""

    def __init__(self, prologue, responder_public):
        self.chain = self.hash = blake2s(PATTERN)  # 37 bytes, longer than a hash
        self.key = None
        self.mix_hash(prologue)
        self.mix_hash(responder_public)

    def mix_hash(self, data):
        self.hash = blake2s(self.hash + data)

    def mix_key(self, material):
        self.chain, self.key = kdf(2, self.chain, material)

    def mix_ephemeral(self, ephemeral):
        """Token e; in a psk pattern it is mixed into the key too."""
        self.mix_hash(ephemeral)
        self.mix_key(ephemeral)

    def mix_psk(self, preshared):
        self.chain, mixed, self.key = kdf(3, self.chain, preshared)
        self.mix_hash(mixed)

    # Every field of this pattern is the first under its key: the nonce is always 0.
    def seal(self, text):
        sealed = aead_seal(self.key, counter_nonce(0), text, self.hash)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        text = aead_open(self.key, counter_nonce(0), sealed, self.hash)
        self.mix_hash(sealed)
        return text

    def split(self):
        """(key of the initiator's messages, key of the responder's)."""
        return tuple(kdf(2, self.chain, b""))


class Initiator:
    def __init__(self, prologue, static, remote, preshared, ephemeral):
        self.noise = Noise(prologue, remote)
        self.static, self.remote = static, remote
        self.preshared, self.ephemeral = preshared, ephemeral

    def write_first(self, payload):
        """e, es, s, ss: (ephemeral, sealed static, sealed payload)."""
        noise, ephemeral = self.noise, public_key(self.ephemeral)
        noise.mix_ephemeral(ephemeral)
        noise.mix_key(x25519(self.ephemeral, self.remote))
        sealed_static = noise.seal(public_key(self.static))
        noise.mix_key(x25519(self.static, self.remote))
        return ephemeral, sealed_static, noise.seal(payload)

    def read_second(self, ephemeral, sealed):
        """e, ee, se, psk: the payload."""
        noise = self.noise
        noise.mix_ephemeral(ephemeral)
        noise.mix_key(x25519(self.ephemeral, ephemeral))
        noise.mix_key(x25519(self.static, ephemeral))
        noise.mix_psk(self.preshared)
        return noise.open(sealed)


class Responder:
    def __init__(self, prologue, static, preshared, ephemeral):
        self.noise = Noise(prologue, public_key(static))
        self.static, self.preshared, self.ephemeral = static, preshared, ephemeral

    def read_first(self, ephemeral, sealed_static, sealed_payload):
        """(static key of the initiator, payload)."""
        noise, self.remote_ephemeral = self.noise, ephemeral
        noise.mix_ephemeral(ephemeral)
        noise.mix_key(x25519(self.static, ephemeral))
        self.remote = noise.open(sealed_static)
        noise.mix_key(x25519(self.static, self.remote))
        return self.remote, noise.open(sealed_payload)

    def write_second(self, payload):
        """(ephemeral, sealed payload)."""
        noise, ephemeral = self.noise, public_key(self.ephemeral)
        noise.mix_ephemeral(ephemeral)
        noise.mix_key(x25519(self.ephemeral, self.remote_ephemeral))
        noise.mix_key(x25519(self.ephemeral, self.remote))
        noise.mix_psk(self.preshared)
        return ephemeral, noise.seal(payload)


# ---- WireGuard's messages around it


def with_macs(message, receiver_public):
    """mac1 of the whitepaper 5.4.4, and the mac2 of somebody without a cookie."""
    mac1 = blake2s(message, 16, blake2s(b"mac1----" + receiver_public))
    return message + mac1 + bytes(16)


def initiation(initiator, sender, timestamp):
    fields = initiator.write_first(timestamp)
    return with_macs(struct.pack("<II", 1, sender) + b"".join(fields), initiator.remote)


def initiation_fields(message):
    return message[8:40], message[40:88], message[88:116]


def response(responder, sender, receiver):
    fields = responder.write_second(b"")
    return with_macs(struct.pack("<III", 2, sender, receiver) + b"".join(fields), responder.remote)


def response_fields(message):
    return message[12:44], message[44:60]
