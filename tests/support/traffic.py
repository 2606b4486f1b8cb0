"""Traffic through a tunnel, with figures: pings and TCP copies."""

import hashlib
import re
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass

CHUNK = 1 << 18


@dataclass(frozen=True)
class Pings:
    sent: int
    received: int
    text: str

    @property
    def lost(self):
        return self.sent - self.received


def _summary(text):
    found = re.search(r"(\d+) packets transmitted, (\d+) received", text)
    assert found, f"ping says: {text}"
    return Pings(int(found[1]), int(found[2]), text)


def ping(host, address, count=1, interval=0.002, **options):
    """Runs to the end. `size` is that of the inside packet's payload; fragments are forbidden."""
    done = host.run(*_ping(address, interval, options), "-c", count, "-q", check=False,
                    timeout=count * interval + 60)
    return _summary(done.stdout + done.stderr)


def _ping(address, interval, options):
    size = ["-s", options["size"], "-M", "do"] if "size" in options else []
    return ["ping", "-n", "-i", interval, "-W", options.get("patience", 2), *size, address]


def answers(host, address, patience=1):
    """Does one ping come back?"""
    return ping(host, address, patience=patience).received == 1


class Pinging:
    """Pings in the background until the `with` block ends; then `result` is there."""

    def __init__(self, host, address, interval=0.01):
        self._process = host.popen(*_ping(address, interval, {}), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self._lines = []
        self._answered = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.result = None

    def __enter__(self):
        self._reader.start()
        return self

    def _read(self):
        for line in self._process.stdout:
            with self._answered:
                self._lines.append(line)
                self._answered.notify_all()

    def answered(self):
        with self._answered:
            return sum("bytes from" in line for line in self._lines)

    def wait_for_more(self, count=20, timeout=5):
        """Until `count` further pings have come back."""
        goal = self.answered() + count
        with self._answered:
            got = self._answered.wait_for(
                lambda: sum("bytes from" in line for line in self._lines) >= goal, timeout)
        assert got, f"no {count} answers within {timeout} s:\n" + "".join(self._lines[-5:])

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        self._reader.join(timeout=10)
        self._process.wait(timeout=10)
        self.result = _summary("".join(self._lines))


@dataclass(frozen=True)
class Copied:
    sent: str  # sha256
    received: str
    bytes: int


class Copy:
    """A TCP copy from one host to another, through whatever their routes are. Made of threads of
    the test program; the sockets are the hosts'."""

    def __init__(self, source, target, address, size):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with target.network():
            self._listener = socket.create_server((address, 0), family=family)
        with source.network():
            self._sender = socket.socket(family, socket.SOCK_STREAM)
        self._listener.settimeout(30)
        self._size = size
        self._sums = {}
        self._failure = None
        self.copied = 0
        self._threads = [threading.Thread(target=self._guarded, args=(part,), daemon=True)
                         for part in (self._receive, self._send)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def wait(self, timeout=60):
        """The result, when all bytes have arrived."""
        for thread in self._threads:
            thread.join(timeout)
            if thread.is_alive():
                self._sender.close()
                raise TimeoutError(f"copied {self.copied} of {self._size} bytes in {timeout} s")
        if self._failure:
            raise self._failure
        return Copied(self._sums["send"], self._sums["receive"], self.copied)

    def _guarded(self, part):
        try:
            part()
        except OSError as error:
            self._failure = error

    def _send(self):
        digest, block = hashlib.sha256(), _noise()
        with self._sender as sender:
            sender.settimeout(60)
            sender.connect(self._listener.getsockname()[:2])
            for start in range(0, self._size, CHUNK):
                part = block[start // CHUNK % 7:][:min(CHUNK, self._size - start)]
                digest.update(part)
                sender.sendall(part)
        self._sums["send"] = digest.hexdigest()

    def _receive(self):
        digest, buffer = hashlib.sha256(), bytearray(CHUNK)
        with self._listener as listener:
            connection, _ = listener.accept()
        with connection:
            connection.settimeout(60)
            while count := connection.recv_into(buffer):
                digest.update(memoryview(buffer)[:count])
                self.copied += count
        self._sums["receive"] = digest.hexdigest()


def _noise():
    """CHUNK bytes and a few more, none like the others; chunks start at different offsets."""
    return hashlib.shake_128(b"copy").digest(CHUNK + 8)


def copy(source, target, address, size):
    """Copies `size` bytes; fails unless they arrive as they were sent."""
    result = Copy(source, target, address, size).start().wait()
    assert (result.bytes, result.received) == (size, result.sent)
    return result
