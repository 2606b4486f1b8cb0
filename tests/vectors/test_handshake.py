"""The reference handshake against published Noise vectors; ours against the reference."""

import random
import unittest

import handshake
import hooks
from reference import public_key

hexed = bytes.fromhex

# Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s of the vectors that the Noise implementations share
# (cacophony): the two handshake messages and the hash of the transcript.
PUBLISHED = {
    "prologue": "4a6f686e2047616c74",
    "psk": "54686973206973206d7920417573747269616e20706572737065637469766521",
    "init_static": "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
    "init_ephemeral": "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
    "resp_static": "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
    "resp_ephemeral": "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
    "first_payload": "4c756477696720766f6e204d69736573",
    "first": "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
    "001e21de9f98ddd8e2ad57527207feb56253c9c94a9e496782ecfcb2a75fbcaf"
    "1b52948cc48daefe660c62119ab5000980c84831215f2441eba616548e832985"
    "464cf17e51ee93109008399a21f7e13f",
    "second_payload": "4d757272617920526f746862617264",
    "second": "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
    "cb765f2caef0751b8f007572dab0322217755c0632f365717edbf34d33e87a",
    "hash": "f5191b875290abcd41347ac3622d9679688a7e980229cb937ef748336cfde0e5",
    "third_payload": "462e20412e20486179656b",  # under the initiator's key, nonce 0
    "third": "8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7",
    "fourth_payload": "4361726c204d656e676572",  # under the responder's key, nonce 0
    "fourth": "07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef",
}


class Reference(unittest.TestCase):
    def test_it_reproduces_the_published_transcript(self):
        given = {name: hexed(text) for name, text in PUBLISHED.items()}
        remote = public_key(given["resp_static"])
        ours = handshake.Initiator(
            given["prologue"], given["init_static"], remote, given["psk"], given["init_ephemeral"]
        )
        theirs = handshake.Responder(
            given["prologue"], given["resp_static"], given["psk"], given["resp_ephemeral"]
        )
        first = ours.write_first(given["first_payload"])
        self.assertEqual(b"".join(first), given["first"])
        self.assertEqual(theirs.read_first(*first)[1], given["first_payload"])
        second = theirs.write_second(given["second_payload"])
        self.assertEqual(b"".join(second), given["second"])
        self.assertEqual(ours.read_second(*second), given["second_payload"])
        self.assertEqual(ours.noise.hash, given["hash"])
        to_responder, to_initiator = ours.noise.split()
        self.assertEqual(theirs.noise.split(), (to_responder, to_initiator))
        for key, message in ((to_responder, "third"), (to_initiator, "fourth")):
            sealed = hooks.aead("aead_seal", key, bytes(12), given[message + "_payload"])
            self.assertEqual(sealed, given[message])


class Keys:
    """Everything that goes into one handshake, drawn from a seed."""

    def __init__(self, seed, with_preshared=True):
        chance = random.Random(seed)
        self.static, self.ephemeral = chance.randbytes(32), chance.randbytes(32)
        self.remote, self.remote_ephemeral = chance.randbytes(32), chance.randbytes(32)
        self.preshared = chance.randbytes(32) if with_preshared else bytes(32)
        self.timestamp = chance.randbytes(12)
        self.sender, self.receiver = chance.getrandbits(32), chance.getrandbits(32)

    def our_initiator(self):
        return hooks.initiator_new(
            self.static,
            public_key(self.remote),
            self.preshared,
            self.ephemeral,
            self.sender,
            self.timestamp,
        )

    def our_response(self, initiation):
        return hooks.responder(
            self.remote, self.preshared, self.remote_ephemeral, self.receiver, initiation
        )

    def reference_initiator(self):
        remote = public_key(self.remote)
        return handshake.Initiator(
            handshake.PROLOGUE, self.static, remote, self.preshared, self.ephemeral
        )

    def reference_responder(self):
        return handshake.Responder(
            handshake.PROLOGUE, self.remote, self.preshared, self.remote_ephemeral
        )


def many_keys():
    for seed in range(24):
        yield Keys(seed, with_preshared=seed % 2 == 0)


def flipped(message, bit):
    changed = bytearray(message)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Handshake(unittest.TestCase):
    def test_our_initiator_equals_the_reference(self):
        for keys in many_keys():
            theirs = keys.reference_initiator()
            expected = handshake.initiation(theirs, keys.sender, keys.timestamp)
            handle = keys.our_initiator()
            self.assertEqual(hooks.initiator_message(handle), expected)

            answerer = keys.reference_responder()
            answerer.read_first(*handshake.initiation_fields(expected))
            response = handshake.response(answerer, keys.receiver, keys.sender)
            send, receive = answerer.noise.split()
            self.assertEqual(hooks.initiator_finish(handle, response), (send, receive))
            hooks.initiator_free(handle)

    def test_our_responder_equals_the_reference(self):
        for keys in many_keys():
            theirs, answerer = keys.reference_initiator(), keys.reference_responder()
            initiation = handshake.initiation(theirs, keys.sender, keys.timestamp)
            answerer.read_first(*handshake.initiation_fields(initiation))
            expected = handshake.response(answerer, keys.receiver, keys.sender)
            response, timestamp, peer, send, receive = keys.our_response(initiation)
            self.assertEqual(response, expected)
            self.assertEqual(timestamp, keys.timestamp)
            self.assertEqual(peer, public_key(keys.static))
            self.assertEqual((receive, send), answerer.noise.split())

            self.assertEqual(theirs.read_second(*handshake.response_fields(response)), b"")
            self.assertEqual(theirs.noise.split(), (receive, send))

    def test_a_missing_preshared_key_is_32_zeros(self):
        keys = Keys(1, with_preshared=False)
        zeros = keys.our_initiator()
        keys.preshared = None
        missing = keys.our_initiator()
        response = keys.our_response(hooks.initiator_message(missing))[0]
        self.assertEqual(
            hooks.initiator_finish(zeros, response), hooks.initiator_finish(missing, response)
        )
        hooks.initiator_free(zeros)
        hooks.initiator_free(missing)

    def test_a_wrong_preshared_key_fails_and_the_right_answer_still_comes_through(self):
        keys, other = Keys(2), Keys(2)
        other.preshared = bytes(32)
        handle = keys.our_initiator()
        initiation = hooks.initiator_message(handle)
        self.assertIsNone(hooks.initiator_finish(handle, other.our_response(initiation)[0]))
        self.assertIsNotNone(hooks.initiator_finish(handle, keys.our_response(initiation)[0]))
        hooks.initiator_free(handle)

    def test_no_flipped_bit_before_mac2_gets_an_answer(self):
        keys = Keys(3)
        handle = keys.our_initiator()
        initiation = hooks.initiator_message(handle)
        response = keys.our_response(initiation)[0]
        for bit in range(8 * (148 - 16)):
            self.assertIsNone(keys.our_response(flipped(initiation, bit)))
        for bit in range(8 * (92 - 16)):
            self.assertIsNone(hooks.initiator_finish(handle, flipped(response, bit)))
        self.assertIsNotNone(hooks.initiator_finish(handle, response))
        hooks.initiator_free(handle)

    def test_flipped_bits_with_a_right_mac1_get_no_answer_either(self):
        keys = Keys(4)
        handle = keys.our_initiator()
        initiation = hooks.initiator_message(handle)
        remote = public_key(keys.remote)
        for bit in list(range(8 * 4)) + list(range(8 * 8, 8 * 116)):
            # Bit 255 of a public key is ignored by X25519, but it is part of the transcript.
            forged = handshake.with_macs(flipped(initiation[:116], bit), remote)
            self.assertIsNone(keys.our_response(forged))
        hooks.initiator_free(handle)

    def test_a_low_order_remote_key_is_refused_before_anything_is_sent(self):
        for point in (bytes(32), (1).to_bytes(32, "little")):
            arguments = bytes(range(32)), point, bytes(32), bytes(range(32)), 7, bytes(12)
            self.assertIsNone(hooks.initiator_new(*arguments))

    def test_a_zero_shared_secret_from_a_hostile_initiator_gets_no_answer(self):
        keys = Keys(5)
        hostile = keys.reference_initiator()
        # A low-order ephemeral, everything after it computed for the zero secret that it gives.
        noise, remote = hostile.noise, public_key(keys.remote)
        noise.mix_ephemeral(bytes(32))
        noise.mix_key(bytes(32))
        sealed_static = noise.seal(public_key(keys.static))
        noise.mix_key(handshake.x25519(keys.static, remote))
        message = bytes([1]) + bytes(7) + bytes(32) + sealed_static + noise.seal(keys.timestamp)
        self.assertIsNone(keys.our_response(handshake.with_macs(message, remote)))

    def test_a_zero_static_static_secret_gets_no_answer(self):
        keys = Keys(6)
        noise, remote = keys.reference_initiator().noise, public_key(keys.remote)
        ephemeral = public_key(keys.ephemeral)
        noise.mix_ephemeral(ephemeral)
        noise.mix_key(handshake.x25519(keys.ephemeral, remote))
        sealed_static = noise.seal(bytes(32))  # a static key of low order
        noise.mix_key(bytes(32))
        message = bytes([1]) + bytes(7) + ephemeral + sealed_static + noise.seal(keys.timestamp)
        self.assertIsNone(keys.our_response(handshake.with_macs(message, remote)))


if __name__ == "__main__":
    unittest.main()
