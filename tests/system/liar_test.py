"""A process for packets that is in the hands of an attacker: what it says is what this test says,
through the same socket. The daemon, which is root, neither dies of it nor waits for ever, and does
nothing but what a tunnel may do."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import struct
import threading

import pytest

import crash
import machine
from netns import wait_until
from peers import borrowed_socket, sockets_of
from program import Tunnel

CHANNEL = pathlib.Path(__file__).resolve().parents[2] / "examples" / "simplevpn" / "channel.h"
WORDS = re.findall(r"^  (\w+),", re.search(r"enum class Word.*?^};", CHANNEL.read_text("utf-8"),
                                          re.S | re.M).group(0), re.M)
READY, EVENT, RESOLVED, ENDPOINT, MARK, PORT, ENDED = (
    WORDS.index(word) for word in "ready event resolved endpoint mark port ended".split())
NETWORK, DEVICE_LOST = 10, 11
SIZE = 720


def address(text="198.51.100.9", port=9):
    return struct.pack("=BBHI16s", 4, 0, port, 0, socket.inet_aton(text))


def message(word, *, count=1, value=0, number=0, kind=0, addresses=b"", key=b"", name=b""):
    """As channel.h has it, on a machine as ours."""
    event = struct.pack("=IIQqQ24s32s", 88, kind, 0, value, 0, addresses[:24], key)
    made = struct.pack("=IIqQ88s192s32s256s128s", word, count, value, number, event, addresses, key,
                       name, b"because")
    assert len(made) == SIZE
    return made


def noise(seed):
    """Messages of the right size, many of whose words are known, but for the one that ends it."""
    chance = random.Random(seed)
    words = [word for word in range(len(WORDS) + 2) if word != ENDED] + [1 << 31]
    while True:
        yield struct.pack("=I", chance.choice(words)) + chance.randbytes(SIZE - 4)


def lies():
    """What costs the daemon most, and would be logged without a limit."""
    while True:
        yield message(EVENT, kind=DEVICE_LOST)
        for i in range(200):
            yield message(ENDPOINT, key=struct.pack("=I", i % 50), number=i + 1,
                          addresses=address(port=i + 1))
        for i in range(20):
            yield message(MARK, value=i + 1, number=i + 1)
            yield message(PORT, value=i + 1, number=i + 1)
            yield message(EVENT, kind=NETWORK)
            yield message(RESOLVED, addresses=address(), name=b"\x1b[2J\n")


class Liar(contextlib.ExitStack):
    """Speaks for the process for packets of a tunnel with a kill switch, which it stops."""

    def __init__(self, host, program):
        super().__init__()
        self.host, self.tunnel, self.before = host, Tunnel(host, program), machine.describe(host)
        self.tunnel.write(crash.CONFIG)
        self._log = self.enter_context(open(f"/proc/{host.pid}/root/run/log", "w+b"))
        self.daemon = host.popen(program, "client", "--kill-switch", "/run/wg0.conf",
                                 stderr=self._log)
        wait_until(lambda: self.daemon.poll() is not None or b" event=up " in self.log(), what="up")
        (self.packets,) = host.pids("simplevpn-pkt")
        self.channel = self.enter_context(self._borrow())

    def _borrow(self):
        for number in sockets_of(self.packets):
            copy = borrowed_socket(self.packets, number)
            if copy.family == socket.AF_UNIX and copy.type == socket.SOCK_SEQPACKET:
                return copy
            copy.close()
        raise AssertionError("no channel")

    def log(self):
        self._log.flush()
        return os.pread(self._log.fileno(), 1 << 24, 0)

    def silence(self):
        os.kill(self.packets, signal.SIGSTOP)

    def flood(self, messages):
        """Until the daemon no longer listens."""
        def run():
            with contextlib.suppress(OSError):
                for each in messages:
                    self.channel.send(each)
        thread = threading.Thread(target=run, daemon=True)
        self.callback(thread.join, 5)
        thread.start()

    def ends(self, exit_status):
        assert self.daemon.wait(timeout=8) == exit_status, self.log()[-2000:]
        wait_until(lambda: not self.host.pids("simplevpn-pkt"), what="packets ended")
        self.tunnel.call("down", "--cleanup")  # also of endpoints that it was told
        self.tunnel.call("unblock", "wg0")
        assert not machine.differences(self.before, machine.describe(self.host))


@pytest.fixture
def liar(furnished, simplevpn):
    with Liar(furnished, simplevpn) as made:
        yield made


def test_what_it_says_well_is_heard_and_the_rest_is_harmless(liar):
    liar.channel.send(message(RESOLVED, addresses=address(), name=b"a\x1b[2J\nb"))
    wait_until(lambda: b'host=a?[2J?b endpoint=198.51.100.9:9\n' in liar.log(), what="heard")
    ours, theirs = socket.socketpair()
    socket.send_fds(liar.channel, [message(EVENT, kind=NETWORK)], [theirs.fileno()])
    theirs.close()
    wait_until(lambda: b"network_changed" in liar.log(), what="heard")
    ours.settimeout(1)
    with ours:
        assert ours.recv(1) == b"", "nobody has the descriptor"
    for _, said in zip(range(3000), noise(1)):
        liar.channel.send(said)
    liar.daemon.terminate()
    liar.ends(0)


@pytest.mark.parametrize("said", [message(READY)[:-1], bytes(100_000), None],
                         ids=["truncated", "oversized", "hung up"])
def test_what_is_no_message_is_the_end_of_the_tunnel(liar, said):
    if said is None:
        liar.channel.shutdown(socket.SHUT_RDWR)
    else:
        liar.channel.send(said)
    liar.ends(1)
    assert b"E_" not in liar.log() and b"packets_died" in liar.log()


def test_a_flood_neither_keeps_the_daemon_from_its_end_nor_fills_the_log(liar):
    liar.silence()
    liar.flood(lies())
    wait_until(lambda: b"interface_lost" in liar.log(), what="heard")
    liar.daemon.terminate()
    liar.ends(0)
    assert liar.log().count(b"interface_lost") == 1 and liar.log().count(b"\n") < 200


def test_who_says_that_it_ended_and_goes_on_is_ended(liar):
    liar.silence()
    liar.channel.send(message(ENDED))
    liar.flood(lies())
    liar.ends(1)
