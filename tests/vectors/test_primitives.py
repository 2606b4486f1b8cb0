"""Primitives against published vectors and against the slow reference, on random inputs."""

import random
import unittest

import hooks
import reference

hexed = bytes.fromhex


class Blake2s(unittest.TestCase):
    def test_abc_is_that_of_rfc_7693(self):
        expected = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"
        self.assertEqual(hooks.blake2s(b"abc").hex(), expected)

    def test_published_keyed_answers(self):
        for length, expected in (
            (0, "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49"),
            (1, "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1"),
            (255, "3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd"),
        ):
            digest = hooks.blake2s(bytes(range(length)), key=bytes(range(32)))
            self.assertEqual(digest.hex(), expected)

    def test_equals_hashlib(self):
        chance = random.Random(1)
        for size in list(range(0, 260)) + [chance.randrange(5000) for _ in range(200)]:
            message, key = chance.randbytes(size), chance.randbytes(chance.randrange(33))
            length = chance.randrange(1, 33)
            expected = reference.blake2s(message, length, key)
            self.assertEqual(hooks.blake2s(message, length, key), expected)

    def test_impossible_lengths_fail(self):
        self.assertIsNone(hooks.blake2s(b"", 0))
        self.assertIsNone(hooks.blake2s(b"", 33))
        self.assertIsNone(hooks.blake2s(b"", 32, bytes(33)))


class Kdf(unittest.TestCase):
    def test_equals_hmac_of_python(self):
        chance = random.Random(2)
        for _ in range(300):
            key, material = chance.randbytes(chance.randrange(100)), chance.randbytes(32)
            material = material[: chance.choice((0, 32))]
            for count in (1, 2, 3):
                expected = reference.kdf(count, key, material)
                self.assertEqual(hooks.kdf(count, key, material), expected)

    def test_other_counts_fail(self):
        self.assertIsNone(hooks.kdf(0, bytes(32), b""))
        self.assertIsNone(hooks.kdf(4, bytes(32), b""))


class X25519(unittest.TestCase):
    VECTORS = (  # RFC 7748, 5.2 and 6.1
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
        (
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
        ),
    )

    def test_published_answers(self):
        for secret, point, expected in self.VECTORS:
            self.assertEqual(hooks.x25519(hexed(secret), hexed(point)).hex(), expected)
            self.assertEqual(reference.x25519(hexed(secret), hexed(point)).hex(), expected)

    def test_equals_the_reference(self):
        chance = random.Random(3)
        for _ in range(100):
            secret, point = chance.randbytes(32), chance.randbytes(32)
            self.assertEqual(hooks.x25519(secret, point), reference.x25519(secret, point))

    def test_points_around_the_prime_equal_the_reference(self):
        secret = hexed(self.VECTORS[0][0])
        for offset in (-2, 2, 3, 18):  # 0 and +-1 are of low order
            point = (reference.PRIME + offset).to_bytes(32, "little")
            self.assertEqual(hooks.x25519(secret, point), reference.x25519(secret, point))

    def test_points_of_low_order_fail(self):
        prime = reference.PRIME
        order_8 = (
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        )
        points = [number.to_bytes(32, "little") for number in (0, 1, prime - 1, prime, prime + 1)]
        for point in points + [hexed(text) for text in order_8]:
            for high_bit in (0, 0x80):
                tried = point[:31] + bytes([point[31] | high_bit])
                self.assertEqual(reference.x25519(bytes(range(32)), tried), bytes(32))
                self.assertIsNone(hooks.x25519(bytes(range(32)), tried))


SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)


class Aead(unittest.TestCase):
    KEY = bytes(range(0x80, 0xA0))
    ASSOCIATED = hexed("50515253c0c1c2c3c4c5c6c7")

    def check(self, name, nonce, expected):
        expected = hexed(expected)
        arguments = self.KEY, nonce, SUNSCREEN, self.ASSOCIATED
        self.assertEqual(getattr(reference, name + "_seal")(*arguments), expected)
        self.assertEqual(hooks.aead(name + "_seal", *arguments), expected)
        opened = hooks.aead(name + "_open", self.KEY, nonce, expected, self.ASSOCIATED)
        self.assertEqual(opened, SUNSCREEN)

    def test_rfc_8439_section_2_8_2(self):
        self.check(
            "aead",
            hexed("070000004041424344454647"),
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
            "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
            "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            "3ff4def08e4b7a9de576d26586cec64b6116"
            "1ae10b594f09e26a7e902ecbd0600691",
        )

    def test_xchacha_draft_a_3_1(self):
        self.check(
            "xaead",
            bytes(range(0x40, 0x58)),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
            "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
            "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
            "21f9664c97637da9768812f615c68b13b52e"
            "c0875924c1c7987947deafd8780acf49",
        )

    def random_messages(self):
        """(name, key, nonce, text, associated): data messages, handshake fields, cookies."""
        chance = random.Random(4)
        for size in list(range(0, 130)) + [255, 256, 257, 511, 512, 513, 1420]:
            key, text = chance.randbytes(32), chance.randbytes(size)
            yield "aead", key, reference.counter_nonce(chance.getrandbits(64)), text, b""
            yield "aead", key, chance.randbytes(12), text, chance.randbytes(chance.randrange(40))
            yield "xaead", key, chance.randbytes(24), text, chance.randbytes(16)

    def test_equals_the_reference(self):
        for name, key, nonce, text, associated in self.random_messages():
            sealed = getattr(reference, name + "_seal")(key, nonce, text, associated)
            self.assertEqual(hooks.aead(name + "_seal", key, nonce, text, associated), sealed)
            self.assertEqual(hooks.aead(name + "_open", key, nonce, sealed, associated), text)

    def test_a_changed_bit_fails(self):
        chance = random.Random(5)
        for name, key, nonce, text, associated in self.random_messages():
            sealed = bytearray(hooks.aead(name + "_seal", key, nonce, text, associated))
            bit = chance.randrange(len(sealed) * 8)
            sealed[bit // 8] ^= 1 << bit % 8
            forged = bytes(sealed)
            self.assertIsNone(hooks.aead(name + "_open", key, nonce, forged, associated))

    def test_shorter_than_a_tag_fails(self):
        for name, nonce in (("aead_open", bytes(12)), ("xaead_open", bytes(24))):
            for size in (0, 1, 15):
                self.assertIsNone(hooks.aead(name, self.KEY, nonce, bytes(size)))


if __name__ == "__main__":
    unittest.main()
