"""The two implementations as peers: ours and Debian's wireguard-go, behind the same few verbs.

    ours, theirs = Simplevpn(left, program), WireguardGo(right)
    join(ours, theirs, outer=("192.0.2.1", "192.0.2.2"))
    theirs.start(); ours.start()

Inside addresses are 10.9.0.N and fd09::N, where N is the peer's number.
"""

import contextlib
import ctypes
import itertools
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass

from netns import only_child, wait_until

PORT = 51820
_SO_RCVBUFFORCE = 33
_WIDE = 16 << 20
_PIDFD_GETFD = 438  # everywhere
_numbers = itertools.count(1)


@dataclass
class Known:
    """What a configuration says about another peer."""
    peer: "Peer"
    endpoint: str = None
    preshared: str = None
    keepalive: int = None

    def section(self):
        lines = ["[Peer]", f"PublicKey = {self.peer.public}",
                 f"AllowedIPs = {', '.join(self.peer.allowed)}"]
        lines += [f"Endpoint = {self.endpoint}"] if self.endpoint else []
        lines += [f"PresharedKey = {self.preshared}"] if self.preshared else []
        lines += [f"PersistentKeepalive = {self.keepalive}"] if self.keepalive else []
        return "\n".join(lines)


def key():
    """A new private (or preshared) key."""
    return subprocess.run(["wg", "genkey"], capture_output=True, text=True,
                          check=True).stdout.strip()


def endpoint(address, port=PORT):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def sockets_of(pid):
    """Descriptors of a process that are sockets."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                yield int(name)


def borrowed_socket(pid, number):
    """A copy of another process's descriptor: the same socket."""
    process = os.pidfd_open(pid)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        copy = libc.syscall(_PIDFD_GETFD, process, number, 0)
        if copy < 0:
            raise OSError(ctypes.get_errno(), f"pidfd_getfd: {number} of {pid}")
        try:
            return socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
            raise
    finally:
        os.close(process)


class Peer:
    """A tunnel interface wg0 on a host, not started yet."""

    interface = "wg0"

    def __init__(self, host, port=PORT, mtu=None):
        self.host, self.port, self.mtu = host, port, mtu
        self.number = next(_numbers) % 250 + 1
        self.private = key()
        self.public = subprocess.run(["wg", "pubkey"], input=self.private, capture_output=True,
                                     text=True, check=True).stdout.strip()
        self.ipv4, self.ipv6 = f"10.9.0.{self.number}", f"fd09::{self.number}"
        self.addresses = [f"{self.ipv4}/24", f"{self.ipv6}/64"]
        self.allowed = [f"{self.ipv4}/32", f"{self.ipv6}/128"]
        self.known = []
        self.process = None

    def knows(self, peer, **what):
        self.known.append(Known(peer, **what))

    def _config(self, extra=()):
        lines = ["[Interface]", f"PrivateKey = {self.private}", f"ListenPort = {self.port}", *extra]
        return "\n".join(lines + [known.section() for known in self.known]) + "\n"

    def running(self):
        return self.process is not None and self.process.poll() is None

    def pid(self):
        return self.process.program()

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout=5):
        """Ends it; returns its exit status. What was killed has its interface a little longer,
        until the last of its processes has noticed."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=timeout)
        wait_until(lambda: not self.host.has_interface(self.interface), what="interface gone")
        return status

    def kill(self):
        self.stop(signal.SIGKILL)

    def seen(self, of):
        """What `wg show` says about another peer."""
        for line in self.host.run("wg", "show", self.interface, "dump").stdout.splitlines()[1:]:
            public, _, where, allowed, latest, rx, tx, _ = line.split("\t")
            if public == of.public:
                return Seen(where, allowed, int(latest), int(rx), int(tx))
        raise LookupError(f"{self.host.name} does not know that peer")

    def rss_kib(self):
        return self._status_field("VmRSS")

    def _status_field(self, name):
        with open(f"/proc/{self.pid()}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(name):
                    return int(line.split()[1])
        raise LookupError(name)

    def state(self):
        """One letter: R, S, T..."""
        return self._stat()[0]

    def sleeps(self):
        """How often its threads have gone to sleep and woken, altogether."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid()}/task"):
            with open(f"/proc/{self.pid()}/task/{task}/status", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file
                             if line.startswith("voluntary_ctxt_switches"))
        return total

    def cpu_ticks(self):
        return sum(map(int, self._stat()[11:13]))

    def _stat(self):
        with open(f"/proc/{self.pid()}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()


@dataclass(frozen=True)
class Seen:
    endpoint: str
    allowed: str
    latest_handshake: int
    rx: int
    tx: int


class WireguardGo(Peer):
    """Debian's wireguard-go, set up by `wg` and `ip`."""

    kind = "wireguard-go"

    def start(self):
        listener = f"/run/wireguard/{self.interface}.sock"
        self.host.run("rm", "-f", listener)  # of one that was killed
        self.host.write("/run/wg0.wg", self._config())
        self.process = self.host.popen(
            "env", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1", "LOG_LEVEL=error",
            "wireguard-go", "-f", self.interface, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.host.exists(listener), what="wireguard-go listens")
        self.host.run("wg", "setconf", self.interface, "/run/wg0.wg")
        for address in self.addresses:
            nodad = ["nodad"] if ":" in address else []
            self.host.ip("address", "add", address, "dev", self.interface, *nodad)
        self.host.ip("link", "set", "dev", self.interface, "mtu", self.mtu or 1420, "up")
        # It hears of "up" by netlink: opens its sockets then, and starts its peers, locked until
        # `wg` may ask.
        wait_until(lambda: self.host.udp_sockets(self.port), what="wireguard-go is up")
        self.host.run("wg", "show", self.interface)

    def widen(self):
        """Room for traffic while the machine is busy elsewhere: its UDP sockets have the system's
        default buffer, which holds 92 full packets, and what the kernel throws away there is no
        fault of either implementation. The default is the machine's, not the host's, so the buffers
        are set from outside, on copies of its descriptors."""
        for number in sockets_of(self.pid()):
            with borrowed_socket(self.pid(), number) as copy:
                if copy.type == socket.SOCK_DGRAM and copy.getsockname()[1] == self.port:
                    copy.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _WIDE)
        self.host.ip("link", "set", "dev", self.interface, "txqueuelen", 10_000)

    def set(self, *arguments):
        self.host.run("wg", "set", self.interface, *arguments)


class Simplevpn(Peer):
    """Ours, in the foreground."""

    kind = "simplevpn"
    service = False  # run by somebody who hears of it, as systemd does

    def __init__(self, host, program, **options):
        super().__init__(host, **options)
        self.program = program

    def start(self, wrapper=()):
        self.configure()
        self.launch(wrapper)
        self.wait_until_up()

    def configure(self):
        extra = [f"Address = {', '.join(self.addresses)}"]
        extra += [f"MTU = {self.mtu}"] if self.mtu else []
        self.host.write(f"/run/{self.interface}.conf", self._config(extra))

    def launch(self, wrapper=()):
        """Starts the program without waiting for anything."""
        if self.service:
            wrapper = (*wrapper, "env", "NOTIFY_SOCKET=/run/nobody")
        with open(self._log_path(), "w", encoding="utf-8") as log:
            self.process = self.host.popen(*wrapper, self.program, "up", "-f",
                                           f"/run/{self.interface}.conf", stderr=log)

    def wait_until_up(self):
        wait_until(lambda: not self.running() or self.is_up(), what="simplevpn is up")
        assert self.running(), self.errors()

    def pid(self):
        """Of the packet process: its memory, time and descriptors count."""
        return wait_until(lambda: only_child(super(Simplevpn, self).pid()), what="packet process")

    def send_signal(self, number):
        """To both processes, as when the machine sleeps and wakes."""
        os.kill(self.pid(), number)
        super().send_signal(number)

    def _log_path(self):
        """On the host's own /run, so that it vanishes with the host."""
        return f"/proc/{self.host.pid}/root/run/simplevpn.log"

    def errors(self):
        with open(self._log_path(), encoding="utf-8") as file:
            return file.read()

    def is_up(self):
        done = self.host.run(self.program, "status", self.interface, check=False)
        return done.returncode == 0

    def settle(self):
        """Waits until it has dealt with the addresses it gave itself (it tells its peers about
        changes, by a keepalive): one more change, the answer to that, and then a silence longer
        than what it waits for further ones."""
        seen = before = self.errors().count("event=network_changed")
        self.host.ip("address", "add", f"127.9.9.{before + 1}/32", "dev", "lo")
        since = time.monotonic()

        def silent():
            nonlocal seen, since
            now = self.errors().count("event=network_changed")
            if now != seen:
                seen, since = now, time.monotonic()
            return seen > before and time.monotonic() - since > 0.4  # it waits for 0.25
        wait_until(silent, what="settled")

    def status(self):
        done = self.host.run(self.program, "status", self.interface, "--json")
        return json.loads(done.stdout)["tunnels"][0]

    def counters(self):
        return self.status()["counters"]

    def drops(self):
        return self.counters()["drops"]


def join(left, right, outer, preshared=None, initiator="both"):
    """Makes two peers know each other. `outer` are their outside addresses; `initiator` says who
    knows the other's endpoint: "left", "right" or "both"."""
    to_right = endpoint(outer[1], right.port) if initiator in ("left", "both") else None
    to_left = endpoint(outer[0], left.port) if initiator in ("right", "both") else None
    left.knows(right, endpoint=to_right, preshared=preshared)
    right.knows(left, endpoint=to_left, preshared=preshared)


def same_bytes(left, right):
    """Has each received exactly what the other has sent?"""
    here, there = left.seen(right), right.seen(left)
    return here.rx > 0 and (here.rx, here.tx) == (there.tx, there.rx)
