"""Programs that know nothing of a tunnel, and what of theirs is seen on cables.

    with Watch({"up0": (road.cli, "up0")}) as watch, Programs(road.cli, probes) as programs:
        with watch.phase("connected"):
            programs.rounds(3)
    watch.sent("connected", "up0")      # {(source, destination, protocol, port)}

A flow is (source, destination, protocol, port); of ICMP the type stands for the port, and a later
fragment has port 0. Neighbour discovery, multicast listener reports and ICMPv6 between link-local
addresses are nobody's secret.
"""

import contextlib
import fcntl
import itertools
import selectors
import socket
import struct
import threading

import nameserver
import wire
from netns import wait_until

CANARY = b"canary in a coal mine"
NAME = "canary.test"
_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
_NEIGHBOURS = {*range(130, 138), 143}  # ICMPv6: listeners, routers, neighbours
_MARKER = 0x88b5  # an ethertype for experiments
_SIOCGIFHWADDR = 0x8927
ROUND_S = 0.02


# ---- what passes ----

def flow(packet, version):
    """The flow of an IP packet, or None when it is nobody's secret."""
    if version == 4:
        ends = [socket.inet_ntop(socket.AF_INET, packet[i:i + 4]) for i in (12, 16)]
        kind, body = packet[9], (packet[0] & 15) * 4
        later = struct.unpack_from("!H", packet, 6)[0] & 0x1fff
    else:
        ends = [socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24)]
        kind, body, later = packet[6], 40, 0
        if kind == 44:
            kind, body, later = packet[40], 48, struct.unpack_from("!H", packet, 42)[0] & 0xfff8
        if kind == 0:  # hop by hop: listener reports
            kind, body = packet[40], 48
    if kind == 58 and CANARY not in packet and (packet[body] in _NEIGHBOURS or _is_linked(*ends)):
        return None
    port = 0 if later else packet[body] if kind in (1, 58) else \
        struct.unpack_from("!H", packet, body + 2)[0]
    return (*ends, _NAMES.get(kind, str(kind)), port)


def too_late(flows):
    """What the kernel says when an answer to one of these comes and nobody waits any more."""
    ends = {flow[:2] for flow in flows if flow[2:] not in (("icmp", 3), ("icmp6", 1))}
    return {(*pair, *kind) for pair in ends for kind in (("icmp", 3), ("icmp6", 1))}


def _is_linked(source, target):
    return source.startswith("fe80:") and target.startswith("fe80:")


def hardware_address(host, interface):
    with host.network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16s240x", interface.encode())
        return fcntl.ioctl(any_socket, _SIOCGIFHWADDR, request)[18:24]


class Tap(wire.Capture):
    """A capture that can be cut into phases: a marker in the order of the frames is exact, a moment
    of this program is not."""

    def __init__(self, host, interface):
        super().__init__(host, interface)
        self._interface = interface
        self._own = hardware_address(host, interface)
        with host.network():
            self._marks = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._numbers = itertools.count()

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self._marks.close()
        assert self.missed == 0, f"{self._interface}: {self.missed} frames missed"

    def mark(self):
        """How many frames have passed. While the interface is down none can."""
        marker = self._own * 2 + struct.pack("!HQ", _MARKER, next(self._numbers)) + bytes(38)
        try:
            self._marks.sendto(marker, (self._interface, _MARKER))
        except OSError:
            return len(self._frames)
        def passed():
            return next((number for number, (_, frame) in enumerate(self.frames(), 1)
                         if frame[:22] == marker[:22]), None)
        return wait_until(passed, what=f"marker on {self._interface}")

    def packets(self, begin=0, end=None):
        """(flow, bytes) of what the host itself sent."""
        for _, frame in self.frames()[begin:end]:
            version = {0x0800: 4, 0x86dd: 6}.get(struct.unpack_from("!H", frame, 12)[0])
            if version is None or frame[6:12] != self._own:
                continue
            seen = flow(frame[14:], version)
            if seen is not None:
                yield seen, frame


class Watch(contextlib.ExitStack):
    """Captures on several interfaces, {name: (host, interface)}, cut into the same phases."""

    def __init__(self, places):
        super().__init__()
        self.taps = {name: self.enter_context(Tap(*place)) for name, place in places.items()}
        self._phases = {}

    @contextlib.contextmanager
    def phase(self, name):
        begin = {each: tap.mark() for each, tap in self.taps.items()}
        yield
        self._phases[name] = {each: (begin[each], tap.mark()) for each, tap in self.taps.items()}

    def packets(self, phase, place):
        """(flow, frame) of what the host sent there, oldest first."""
        return self.taps[place].packets(*self._phases[phase][place])

    def sent(self, phase, place):
        return {seen for seen, _ in self.packets(phase, place)}

    def canaries(self, phase, place):
        """Flows that carried what programs sent as it was."""
        return {seen for seen, frame in self.packets(phase, place)
                if CANARY in frame or b"\6canary\4test" in frame}


# ---- what programs send ----

def question(name=NAME):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)


def echo(version):
    """An echo request; the kernel sums that of IPv6."""
    head = struct.pack("!BBHHH", 8 if version == 4 else 128, 0, 0, 0x1eaf, 1)
    if version == 6:
        return head + CANARY
    data = head + CANARY + bytes(len(CANARY) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    total = ~(total + (total >> 16)) & 0xffff
    return head[:2] + struct.pack("!H", total) + head[4:] + data[8:]


def probes(*addresses, extra=()):
    """What is tried: (address, protocol, port) for each address, and more."""
    each = [("icmp", 8), ("udp", 7), ("udp", 53), ("tcp", 80)]
    return {(address, "icmp6" if kind == "icmp" and ":" in address else kind,
             128 if kind == "icmp" and ":" in address else port)
            for address in addresses for kind, port in each} | set(extra)


class Programs:
    """Tries all probes of a host, round after round in fresh sockets, until the end of the block.
    `mark`: of sockets that another program has marked. `size`: also a datagram of as many bytes,
    which becomes fragments. `old`: an address to which one TCP connection is kept all the time."""

    def __init__(self, host, probes_, mark=0, device=None, big=(), old=None):
        self.host, self._probes, self._mark, self._device = host, sorted(probes_), mark, device
        self._big, self._old_address, self._old = big, old, None
        self._ended, self._rounds, self._answered = threading.Event(), 0, {}
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def rounds(self, count=3):
        goal = self._rounds + count + 1  # one has begun already
        wait_until(lambda: self._rounds >= goal or self._failure, what=f"{count} rounds")

    def answered(self):
        """Probes answered in a round that began after this call, once all of them are, or None."""
        begin = self._rounds
        self.rounds(2)
        return {probe for probe, at in list(self._answered.items()) if at > begin}

    def reach(self, wanted, timeout=10):
        """Until all these are answered."""
        try:
            wait_until(lambda: wanted <= self.answered(), timeout)
        except TimeoutError as error:
            missing = sorted(wanted - self.answered())
            raise TimeoutError(f"{self.host.name}: no answers from {missing}") from error

    def _run(self):
        try:
            with self.host.network():
                if self._old_address:
                    self._old = socket.create_connection((self._old_address, 80), timeout=5)
                    self._old.setblocking(False)
                while not self._ended.is_set():
                    self._round()
                    self._rounds += 1
                if self._old:
                    self._old.close()
        except OSError as error:
            self._failure = error

    def _round(self):
        tried = [(probe, self._try(probe)) for probe in self._probes]
        for address in self._big:
            tried.append((None, self._send(address, socket.SOCK_DGRAM, 0, CANARY * 200, 7)))
        if self._old:
            with contextlib.suppress(OSError):
                self._old.send(CANARY)
        self._ended.wait(ROUND_S)
        for probe, tool in tried:
            if tool is not None:
                with tool:
                    if probe is not None and self._is_answered(probe, tool):
                        self._answered[probe] = self._rounds

    def _try(self, probe):
        address, kind, port = probe
        version = 6 if ":" in address else 4
        if kind == "udp":
            return self._send(address, socket.SOCK_DGRAM, 0, question() if port == 53 else CANARY,
                              port)
        if kind in ("icmp", "icmp6"):
            protocol = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6
            return self._send(address, socket.SOCK_RAW, protocol, echo(version), 0)
        return self._send(address, socket.SOCK_STREAM, 0, None, port)

    def _send(self, address, kind, protocol, payload, port):
        """A socket that has sent, or tried to."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        tool = socket.socket(family, kind, protocol)
        tool.setblocking(False)
        if self._mark:
            tool.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
        if self._device:
            tool.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._device.encode())
        with contextlib.suppress(OSError):
            if payload is None:
                tool.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                tool.connect((address, port))
            else:
                tool.sendto(payload, (address, port))
        return tool

    def _is_answered(self, probe, tool):
        try:
            if probe[1] == "tcp":
                tool.getpeername()
                return True
            while True:
                reply, sender = tool.recvfrom(2048)
                if probe[1] == "udp":
                    return True
                at = (reply[0] & 15) * 4 if probe[1] == "icmp" else 0
                if sender[0] == probe[0] and reply[at] in (0, 129):
                    return True
        except OSError:
            return False


# ---- who answers ----

class Services:
    """Echo, HTTP and DNS on addresses of a host."""

    def __init__(self, host, *addresses):
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for port, answer in ((7, self._echo), (53, self._name)):
                with host.network():
                    own = socket.socket(family, socket.SOCK_DGRAM)
                own.bind((address, port))
                self._selector.register(own, selectors.EVENT_READ, answer)
            with host.network():
                door = socket.create_server((address, 80), family=family, backlog=64)
            self._selector.register(door, selectors.EVENT_READ, self._page)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _run(self):
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                with contextlib.suppress(OSError):
                    key.data(key.fileobj)

    @staticmethod
    def _echo(own):
        payload, peer = own.recvfrom(8192)
        own.sendto(payload, peer)

    @staticmethod
    def _name(own):
        query, peer = own.recvfrom(2048)
        own.sendto(nameserver.answer(query, {NAME: ["198.51.100.77"]})[1], peer)

    def _page(self, door):
        caller, _ = door.accept()
        self._selector.register(caller, selectors.EVENT_READ, self._talk)

    def _talk(self, caller):
        try:
            heard = caller.recv(4096)
        except OSError:
            heard = b""
        if not heard:
            self._selector.unregister(caller)
            caller.close()
