"""reference.py - the cryptography of WireGuard, slow and obvious, written from the standards.

Independent of libtunnel and of libsodium on purpose: BLAKE2s and HMAC are Python's own; X25519
(RFC 7748), ChaCha20-Poly1305 (RFC 8439), XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) and the
WireGuard handshake (whitepaper 5.4) are written here. Not constant time: for tests only.
"""

import hashlib
import hmac as python_hmac
import struct


# ---- BLAKE2s and what WireGuard builds on it


def blake2s(message, length=32, key=b""):
    return hashlib.blake2s(message, digest_size=length, key=key).digest()


def hmac(key, message):
    return python_hmac.new(key, message, hashlib.blake2s).digest()


def kdf(count, key, material):
    secret = hmac(key, material)
    outputs, last = [], b""
    for number in range(1, count + 1):
        last = hmac(secret, last + bytes([number]))
        outputs.append(last)
    return outputs


# ---- X25519

PRIME = 2**255 - 19


def x25519(secret, point):
    scalar = bytearray(secret)
    scalar[0] &= 248
    scalar[31] = (scalar[31] & 127) | 64
    k = int.from_bytes(scalar, "little")
    u = int.from_bytes(point, "little") % 2**255
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = (k >> t) & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb = a * a % PRIME, b * b % PRIME
        da, cb = d * a % PRIME, c * b % PRIME
        x3 = (da + cb) ** 2 % PRIME
        z3 = u * (da - cb) ** 2 % PRIME
        x2 = aa * bb % PRIME
        e = aa - bb
        z2 = e * (aa + 121665 * e) % PRIME
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, PRIME - 2, PRIME) % PRIME).to_bytes(32, "little")


def public_key(secret):
    return x25519(secret, (9).to_bytes(32, "little"))


# ---- ChaCha20-Poly1305


def quarter_round(s, a, b, c, d):
    for left, right, target, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[left] = (s[left] + s[right]) & 0xFFFFFFFF
        mixed = s[target] ^ s[left]
        s[target] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF


def chacha_rounds(words):
    s = list(words)
    for _ in range(10):
        for i in range(4):
            quarter_round(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return s


CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")


def chacha20_block(key, counter, nonce):
    start = CONSTANTS + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce)
    mixed = chacha_rounds(start)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(start, mixed)))


def chacha20(key, counter, nonce, text):
    out = bytearray()
    for i in range(0, len(text), 64):
        stream = chacha20_block(key, counter + i // 64, nonce)
        out += bytes(a ^ b for a, b in zip(text[i : i + 64], stream))
    return bytes(out)


def hchacha20(key, nonce16):
    words = chacha_rounds(CONSTANTS + struct.unpack("<8I", key) + struct.unpack("<4I", nonce16))
    return struct.pack("<8I", *(words[:4] + words[12:]))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(message), 16):
        block = message[i : i + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total % 2**128).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def aead_tag(key, nonce, text, associated):
    lengths = struct.pack("<QQ", len(associated), len(text))
    one_time = chacha20_block(key, 0, nonce)[:32]
    return poly1305(one_time, padded(associated) + padded(text) + lengths)


def aead_seal(key, nonce, text, associated=b""):
    sealed = chacha20(key, 1, nonce, text)
    return sealed + aead_tag(key, nonce, sealed, associated)


def aead_open(key, nonce, text, associated=b""):
    sealed, tag = text[:-16], text[-16:]
    if aead_tag(key, nonce, sealed, associated) != tag:
        return None
    return chacha20(key, 1, nonce, sealed)


def xaead_seal(key, nonce, text, associated=b""):
    return aead_seal(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], text, associated)


def xaead_open(key, nonce, text, associated=b""):
    return aead_open(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], text, associated)


def counter_nonce(counter):
    return bytes(4) + struct.pack("<Q", counter)
