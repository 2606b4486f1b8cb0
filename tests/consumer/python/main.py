"""Joins two cores with the package of an installed tree, and asks where it came from.

usage: main.py PREFIX, with PYTHONPATH naming the package's folder below it
"""

import pathlib
import sys

import tunnel

PREFIX = pathlib.Path(sys.argv[1]).resolve()
NOW = tunnel.Time(1_000_000_000, 1_700_000_000_000_000_000)
ALICE, BOB = "192.0.2.1:51820", "192.0.2.2:51820"


def shake_hands():
    keys = tunnel.PrivateKey.generate(), tunnel.PrivateKey.generate()
    alice, bob = map(tunnel.Core, keys)
    peer = alice.set_peer(keys[1].public_key(), endpoint=BOB)
    bob.set_peer(keys[0].public_key())
    alice.initiate(NOW, peer)
    buffer = tunnel.PacketBuffer(1)
    for sender, receiver, source in ((alice, bob, ALICE), (bob, alice, BOB), (alice, bob, ALICE)):
        assert sender.poll(buffer, NOW) == 1
        buffer.packet(0).remote = source
        assert receiver.open(buffer, NOW) == [tunnel.Verdict.CONSUMED]
    assert alice.get_peer(peer).has_session


def loaded():
    """Our files in this process: the module, and the library it found by itself."""
    maps = pathlib.Path("/proc/self/maps").read_text().split()
    return {pathlib.Path(word) for word in maps if "/_native." in word or "/libtunnel.so" in word}


shake_hands()
assert len(loaded()) == 2, loaded()
for path in [pathlib.Path(tunnel.__file__), *loaded()]:
    assert path.resolve().is_relative_to(PREFIX), path
package = pathlib.Path(tunnel.__file__).parent
assert (package / "py.typed").exists() and (package / "__init__.pyi").exists()
