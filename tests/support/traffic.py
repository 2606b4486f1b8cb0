"""Traffic through a tunnel, with figures: pings and TCP copies."""

import contextlib
import hashlib
import itertools
import os
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

from netns import wait_until

_SO_MAX_PACING_RATE = 47
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PMTUDISC_DO = 10, 23, 2
CHUNK = 1 << 18


@dataclass(frozen=True)
class Pings:
    sent: int
    received: int
    lost: tuple  # sequence numbers
    longest_ms: float


class _Echo:
    """Echo requests of one host, each with a number of its own. ping(8) does not wait long enough
    for the last answer: twice the longest time it has seen, and that may be less than the kernel
    lets the program sleep."""

    _identifiers = itertools.count(os.getpid())

    def __init__(self, host, address, size=56, forbid_fragments=False):
        self._ipv6 = ":" in address
        self._identifier = next(self._identifiers) & 0xffff
        family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if self._ipv6 else \
            (socket.AF_INET, socket.IPPROTO_ICMP)
        with host.network():
            self._socket = socket.socket(family, socket.SOCK_RAW, protocol)
        self._socket.setblocking(False)
        self._target = (address, 0)
        self._body = bytes(i & 0xff for i in range(size))
        self._sent, self._times = {}, {}
        if forbid_fragments:
            level, option = (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER) if self._ipv6 else \
                (socket.IPPROTO_IP, _IP_MTU_DISCOVER)
            self._socket.setsockopt(level, option, _PMTUDISC_DO)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self):
        """What the system refuses is lost like what the network loses."""
        number = len(self._sent)
        header = struct.pack("!BBHHH", 128 if self._ipv6 else 8, 0, 0, self._identifier,
                             number & 0xffff)
        message = header + self._body
        if not self._ipv6:
            message = message[:2] + struct.pack("!H", _checksum(message)) + message[4:]
        self._sent[number & 0xffff] = time.monotonic()
        with contextlib.suppress(OSError):
            self._socket.sendto(message, self._target)

    def receive(self, until):
        """Takes answers until that time, or until none is missing."""
        while len(self._times) < len(self._sent):
            left = until - time.monotonic()
            if not select.select([self._socket], [], [], max(left, 0))[0]:
                return
            with contextlib.suppress(OSError):
                self._take(self._socket.recv(65535))

    def _take(self, packet):
        message = packet if self._ipv6 else packet[(packet[0] & 15) * 4:]
        kind, _, _, identifier, number = struct.unpack_from("!BBHHH", message)
        if kind != (129 if self._ipv6 else 0) or identifier != self._identifier:
            return
        if number in self._sent and message[8:] == self._body:
            self._times.setdefault(number, time.monotonic() - self._sent[number])

    def answered(self):
        return len(self._times)

    def result(self):
        lost = tuple(number for number in self._sent if number not in self._times)
        return Pings(len(self._sent), len(self._times), lost,
                     1000 * max(self._times.values(), default=0.0))


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ping(host, address, count=1, interval=0.002, patience=2, size=None):
    """At most 65,536 pings. `size` is that of the payload; then fragments are forbidden."""
    with _Echo(host, address, 56 if size is None else size, size is not None) as echo:
        due = time.monotonic()
        for _ in range(count):
            echo.send()
            due = max(due + interval, time.monotonic())
            echo.receive(due)
            time.sleep(max(0.0, due - time.monotonic()))
        echo.receive(time.monotonic() + patience)
        return echo.result()


def answers(host, address, patience=1):
    """Does one ping come back?"""
    return ping(host, address, patience=patience).received == 1


class Pinging:
    """Pings in the background until the `with` block ends; then `result` is there."""

    def __init__(self, host, address, interval=0.01, patience=1.0):
        self._echo, self._interval, self._patience = _Echo(host, address), interval, patience
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.result = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._ended.set()
        self._thread.join()

    def _run(self):
        with self._echo as echo:
            due = time.monotonic()
            while not self._ended.is_set():
                echo.send()
                due = max(due + self._interval, time.monotonic())
                echo.receive(due)
                self._ended.wait(max(0.0, due - time.monotonic()))
            echo.receive(time.monotonic() + self._patience)
            self.result = echo.result()

    def answered(self):
        return self._echo.answered()

    def wait_for_more(self, count=20, timeout=5):
        """Until `count` further pings have come back."""
        goal = self.answered() + count
        wait_until(lambda: self.answered() >= goal, timeout, f"{count} more answers")


@dataclass(frozen=True)
class Copied:
    sent: str  # sha256
    received: str
    bytes: int


class Copy:
    """A TCP copy from one host to another, through whatever their routes are. Made of threads of
    the test program; the sockets are the hosts'."""

    def __init__(self, source, target, address, size, bytes_per_second=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with target.network():
            self._listener = socket.create_server((address, 0), family=family)
        with source.network():
            self._sender = socket.socket(family, socket.SOCK_STREAM)
        if bytes_per_second:
            self._sender.setsockopt(socket.SOL_SOCKET, _SO_MAX_PACING_RATE, bytes_per_second)
        self._listener.settimeout(30)
        self._size = size
        self._sums = {}
        self._failure = None
        self._ending = False
        self.copied = 0
        self._threads = [threading.Thread(target=self._guarded, args=(part,), daemon=True)
                         for part in (self._receive, self._send)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def finish(self, timeout=60):
        """Sends no more; the result, when what was sent has arrived."""
        self._ending = True
        return self.wait(timeout)

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
                if self._ending:
                    break
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
