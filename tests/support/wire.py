"""What passes on a cable: captures, decoded as far as WireGuard's messages go.

    with Capture(router, "eth0") as wire:
        ...
        datagrams = wire.datagrams()      # the UDP datagrams, oldest first
"""

import collections
import ctypes
import errno
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
LENGTHS = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}
KEEPALIVE = 32

_SO_RCVBUFFORCE = 33
_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_ETH_P_ALL = 3
_PACKET_STATISTICS = 6
_PACKET_VNET_HDR = 15
_SOL_PACKET = 263
_TRAIN = 5  # VIRTIO_NET_HDR_GSO_UDP_L4
_BUFFER = 64 << 20

# Classic BPF: IPv4 without options, UDP, whose first payload byte is not DATA.
_ONLY_HANDSHAKES = [
    (0x28, 0, 0, 12), (0x15, 0, 5, 0x0800),  # ethertype
    (0x30, 0, 0, 23), (0x15, 0, 3, 17),      # protocol
    (0x30, 0, 0, 42), (0x15, 1, 0, DATA),    # type of the message
    (0x06, 0, 0, 0xffff), (0x06, 0, 0, 0),
]


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram (or its first fragment) as it passed."""
    at: float  # monotonic
    source: tuple  # (address, port)
    target: tuple
    payload: bytes
    dont_fragment: bool
    fragment: bool

    @property
    def kind(self):
        """INITIATION... when the payload is a message of WireGuard, else None."""
        if len(self.payload) < 4:
            return None
        kind = struct.unpack_from("<I", self.payload)[0]
        if kind == DATA:
            return DATA if len(self.payload) >= KEEPALIVE else None
        return kind if len(self.payload) == LENGTHS.get(kind) else None

    @property
    def receiver(self):
        """The index of the session that a data message names."""
        return struct.unpack_from("<I", self.payload, 4)[0]

    @property
    def counter(self):
        return struct.unpack_from("<Q", self.payload, 8)[0]

    @property
    def is_keepalive(self):
        return self.kind == DATA and len(self.payload) == KEEPALIVE


def decode(at, frame):
    """The Datagram in an Ethernet frame, or None."""
    ethertype = struct.unpack_from("!H", frame, 12)[0]
    if ethertype == 0x0800 and len(frame) >= 42:
        return _decode_ipv4(at, frame[14:])
    if ethertype == 0x86dd and len(frame) >= 62:
        return _decode_ipv6(at, frame[14:])
    return None


def _decode_ipv4(at, packet):
    header = (packet[0] & 15) * 4
    length = struct.unpack_from("!H", packet, 2)[0]
    flags = struct.unpack_from("!H", packet, 6)[0]
    if packet[9] != socket.IPPROTO_UDP or flags & 0x1fff:
        return None
    ends = [socket.inet_ntop(socket.AF_INET, packet[i:i + 4]) for i in (12, 16)]
    return _datagram(at, ends, packet[header:length], (bool(flags & 0x4000), bool(flags & 0x2000)))


def _decode_ipv6(at, packet):
    kind, body, fragment = packet[6], 40, False
    if kind == 44:  # a fragment header
        offset = struct.unpack_from("!H", packet, 42)[0]
        if offset & 0xfff8:
            return None
        kind, body, fragment = packet[40], 48, bool(offset & 1)
    if kind != socket.IPPROTO_UDP:
        return None
    ends = [socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24)]
    length = 40 + struct.unpack_from("!H", packet, 4)[0]
    return _datagram(at, ends, packet[body:length], (True, fragment))


def _datagram(at, ends, udp, flags):
    source, target = struct.unpack_from("!HH", udp)
    return Datagram(at, (ends[0], source), (ends[1], target), bytes(udp[8:]), *flags)


def split(bytes_read):
    """The Ethernet frames in what a packet socket with PACKET_VNET_HDR gave: a train of datagrams
    passes a virtual cable in one piece, and becomes what it would be on copper."""
    _, kind, _, length, _, _ = struct.unpack_from("=BBHHHH", bytes_read)
    frame = bytes_read[10:]
    if kind & 0x7f != _TRAIN or length == 0:
        return [frame]
    ipv4 = struct.unpack_from("!H", frame, 12)[0] == 0x0800
    network = 14
    transport = network + ((frame[network] & 15) * 4 if ipv4 else 40)
    end = transport + struct.unpack_from("!H", frame, transport + 4)[0]
    parts = (frame[at:min(at + length, end)] for at in range(transport + 8, end, length))
    return [_frame(frame[:transport + 8], network, transport, part) for part in parts]


def _frame(headers, network, transport, payload):
    """The checksums stay those of the train: nobody looks at them."""
    made = bytearray(headers + payload)
    ipv4 = made[network] >> 4 == 4
    field, whole = (2, network) if ipv4 else (4, transport)
    struct.pack_into("!H", made, network + field, len(made) - whole)
    struct.pack_into("!H", made, transport + 4, len(made) - transport)
    return bytes(made)


def _monotonic(stamp):
    """When the kernel saw a frame; we may have got to it long after."""
    seconds, nanoseconds = struct.unpack("qq", stamp)
    return time.monotonic() - (time.time() - seconds - nanoseconds / 1e9)


class Capture:
    """Everything that passes an interface of a host while the `with` block lasts. Python is slow:
    a few thousand packets a second; `only_handshakes` (IPv4) lets the kernel leave the rest out."""

    def __init__(self, host, interface, only_handshakes=False):
        with host.network():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            if only_handshakes:
                self._attach(_ONLY_HANDSHAKES)
            self._socket.bind((interface, _ETH_P_ALL))
        self._frames = collections.deque()
        self.trains = 0  # that passed in one piece
        self.missed = None  # frames the kernel could not keep for us, known at the end
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _attach(self, program):
        code = b"".join(struct.pack("HBBI", *line) for line in program)
        self._code = bytearray(code)
        address = ctypes.addressof((ctypes.c_char * len(code)).from_buffer(self._code))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER,
                                struct.pack("HL", len(program), address))

    def __enter__(self):
        self._socket.settimeout(0.05)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        self._take_the_rest()
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        self.missed = struct.unpack("II", statistics)[1]
        self._socket.close()

    def _read(self):
        while not self._ended.is_set():
            try:
                self._receive()
            except TimeoutError:
                continue
            except OSError as error:  # said once when the interface goes down
                if error.errno != errno.ENETDOWN:
                    raise
                continue

    def _receive(self):
        read, ((_, _, stamp),), _, _ = self._socket.recvmsg(1 << 17, socket.CMSG_SPACE(16))
        at = _monotonic(stamp)
        frames = split(read)
        self.trains += len(frames) > 1
        self._frames.extend((at, frame) for frame in frames)

    def _take_the_rest(self):
        """What a busy machine has kept the reader from, up to now."""
        self._socket.setblocking(False)
        end = time.monotonic()
        while time.monotonic() < end + 5:
            try:
                self._receive()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise

    def frames(self):
        """(time, bytes of the Ethernet frame) so far."""
        return list(self._frames)

    def datagrams(self):
        decoded = (decode(at, frame) for at, frame in self.frames())
        return [datagram for datagram in decoded if datagram is not None]

    def kinds(self):
        """How many messages of each kind passed so far."""
        return collections.Counter(datagram.kind for datagram in self.datagrams())

    def save(self, path):
        """Writes a pcap file."""
        with open(path, "wb") as file:
            file.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for at, frame in self.frames():
                file.write(struct.pack("=IIII", int(at), int(at % 1 * 1e6), len(frame),
                                       len(frame)))
                file.write(frame)


def tshark_kinds(capture, path):
    """The kinds of the WireGuard messages in a capture, as tshark reads them; None for UDP that it
    does not take for WireGuard."""
    capture.save(path)
    command = ["tshark", "-n", "-r", path, "-Y", "udp", "-T", "fields", "-e", "wg.type"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(line) if line else None for line in done.stdout.splitlines()]
