"""Benches that are programs of their own and need no kernel: one core, memory, virtual time."""

import json
import subprocess
import tempfile
from pathlib import Path

from .. import needs
from ..figures import Bench, Column


def lines(options, program, *arguments):
    """What a program measured; it prints one JSON object per line and round."""
    command = [str(options.build / "bin" / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def best_cipher(options):
    """The provider that a core takes here when it is asked for none."""
    return lines(options, "bench_core", "--rounds", 1, "--batches", 1)[0]["system"]


def ciphers(options):
    return list(dict.fromkeys(("libsodium", best_cipher(options))))


def _collect(program, arguments):
    def collect(options, add):
        for line in lines(options, program, "--rounds", options.rounds, *arguments(options)):
            add(line.pop("case"), line.pop("system"), line)
    return collect


def _collect_aead(options, add):
    """bench_aead makes its medians itself: each row becomes three values, of which the middle one
    is the median again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "aead.json")
        command = [options.build / "bin/bench_aead", "--rounds", options.rounds, "--json", path]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL,
                       timeout=3600)
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    for row in rows:
        case = f"{row['length']} bytes, batch {row['batch']}, {'hot' if row['hot'] else 'cold'}"
        for spread in ("ns_min", "ns", "ns_max"):
            add(case, row["provider"], {"seal_ns": row["seal"][spread],
                                        "open_ns": row["open"][spread]})
        add(case, row["provider"], {"ticks_byte": row["seal"]["ticks"] / row["length"],
                                    "gb_s": row["length"] / row["seal"]["ns"]})


def _bench(name, title, columns, arguments, **more):
    program = f"bench_{name}"
    return Bench(name, title, columns, _collect(program, arguments),
                 lambda options: needs.programs(options, program), **more)


def _core(options):
    chosen = [word for cipher in ciphers(options) for word in ("--cipher", cipher)]
    return [*chosen, "--batches", 20 if options.quick else 400]


def _handshakes(options):
    return ["--handshakes", 5 if options.quick else 1000]


def _scale(options):
    counts = (1, 100) if options.quick else (1, 1_000, 100_000, 1_000_000)
    return [word for count in counts for word in ("--peers", count)] + [
        "--batches", 5 if options.quick else 400]


CORE = _bench(
    "core", "Core in memory: 47 packets a batch, sealed and opened, one core", (
        Column("both_ns", "seal + open, ns per packet", 0),
        Column("seal_ns", "seal ns", 0), Column("open_ns", "open ns", 0),
        Column("aead_ns", "the AEAD alone, ns", 0), Column("over_aead", "core : AEAD", 2),
        Column("cycles_byte", "cycles per byte", 2),
        Column("mpps", "Mpps through both", 2, "more")), _core)
HANDSHAKES = _bench(
    "handshakes", "Handshakes per second on one core, against 1/(3 DH + 1 base multiplication)", (
        Column("per_second", "handshakes/s", 0, "more"), Column("us", "µs each", 1),
        Column("bound_per_second", "bound/s", 0, "more"),
        Column("of_bound", "of the bound", 2, "more")), _handshakes)
SCALE = _bench(
    "scale", "Configured peers in one core: set-up, memory, lookups, packets of 1420 bytes", (
        Column("seal_ns", "seal, ns per packet", 0), Column("open_ns", "open ns", 0),
        Column("setup_us", "set_peer µs", 2), Column("bytes_peer", "bytes per peer", 0),
        Column("key_ns", "find by key ns", 0), Column("address_ns", "find by address ns", 0)),
    _scale)
AEAD = Bench(
    "aead", "ChaCha20-Poly1305 of every provider, one core", (
        Column("seal_ns", "seal, ns per message", 0), Column("open_ns", "open ns", 0),
        Column("gb_s", "GB/s", 2, "more"), Column("ticks_byte", "TSC ticks per byte", 2)),
    _collect_aead, lambda options: needs.programs(options, "bench_aead"), reference="libsodium")
BENCHES = (AEAD, CORE, HANDSHAKES, SCALE)
