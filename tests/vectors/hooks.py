"""hooks.py - libtunnel_testhooks.so as Python functions.

A failure of the library is None here; bytes go in and bytes come out.
"""

import ctypes
import os

library = ctypes.CDLL(os.environ["TUNNEL_TESTHOOKS"])

BYTES, SIZE, HANDLE = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p
INT, U32, U64 = ctypes.c_int, ctypes.c_uint32, ctypes.c_uint64


def declare(name, result, *arguments):
    function = getattr(library, "tunnel_test_" + name)
    function.restype, function.argtypes = result, arguments
    return function


_x25519 = declare("x25519", INT, BYTES, BYTES, BYTES)
_blake2s = declare("blake2s", INT, BYTES, SIZE, BYTES, SIZE, BYTES, SIZE)
_kdf = declare("kdf", INT, INT, BYTES, BYTES, SIZE, BYTES, SIZE)
_ciphers = {
    name: declare(name, INT, BYTES, BYTES, BYTES, BYTES, SIZE, BYTES, SIZE)
    for name in ("aead_seal", "aead_open", "xaead_seal", "xaead_open")
}

replay_new = declare("replay_new", HANDLE)
replay_check = declare("replay_check", INT, HANDLE, U64)
replay_window = declare("replay_window", INT)
replay_free = declare("replay_free", None, HANDLE)
aip_new = declare("aip_new", HANDLE)
aip_insert = declare("aip_insert", INT, HANDLE, INT, BYTES, INT, INT)
aip_remove = declare("aip_remove", INT, HANDLE, INT)
aip_remove_prefix = declare("aip_remove_prefix", INT, HANDLE, INT, BYTES, INT, INT)
aip_lookup = declare("aip_lookup", INT, HANDLE, INT, BYTES)
limiter_new = declare("limiter_new", HANDLE)
limiter_allow = declare("limiter_allow", INT, HANDLE, INT, BYTES, U64)

initiator_new = declare("initiator_new", HANDLE, BYTES, BYTES, BYTES, BYTES, U32, BYTES)
_initiator_message = declare("initiator_message", INT, HANDLE, BYTES)
_initiator_finish = declare("initiator_finish", INT, HANDLE, BYTES, BYTES, BYTES)
initiator_free = declare("initiator_free", None, HANDLE)
_responder = declare("responder", INT, BYTES, BYTES, BYTES, U32, *[BYTES] * 6)


def called(function, sizes, *arguments):
    """Calls with output buffers in front; the outputs, or None."""
    outputs = [ctypes.create_string_buffer(size) for size in sizes]
    if function(*outputs, *arguments) < 0:
        return None
    return tuple(output.raw for output in outputs)


def first(outputs):
    return outputs and outputs[0]


def x25519(secret, point):
    return first(called(_x25519, [32], secret, point))


def blake2s(message, length=32, key=b""):
    out = ctypes.create_string_buffer(max(length, 1))
    failed = _blake2s(out, length, key, len(key), message, len(message)) < 0
    return None if failed else out.raw


def kdf(count, key, material):
    out = ctypes.create_string_buffer(32 * max(count, 1))
    if _kdf(count, out, key, len(key), material, len(material)) < 0:
        return None
    return [out.raw[32 * i : 32 * i + 32] for i in range(count)]


def aead(name, key, nonce, text, associated=b""):
    grown = 16 if name.endswith("seal") else -16
    out = ctypes.create_string_buffer(max(len(text) + grown, 1))
    sizes = (text, len(text), associated, len(associated))
    if _ciphers[name](out, key, nonce, *sizes) < 0:
        return None
    return out.raw[: len(text) + grown]


def initiator_message(handle):
    out = ctypes.create_string_buffer(148)
    return out.raw if _initiator_message(handle, out) == 0 else None


def initiator_finish(handle, response):
    """(send key, receive key), or None."""
    send, receive = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    done = _initiator_finish(handle, response, send, receive) == 0
    return (send.raw, receive.raw) if done else None


def responder(static, preshared, ephemeral, sender, initiation):
    """(response, timestamp, public key of the peer, send key, receive key), or None."""
    outputs = [ctypes.create_string_buffer(size) for size in (92, 12, 32, 32, 32)]
    if _responder(static, preshared, ephemeral, sender, initiation, *outputs) < 0:
        return None
    return tuple(output.raw for output in outputs)
