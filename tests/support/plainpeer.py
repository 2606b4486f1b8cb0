"""The other end of a plain tunnel, and nothing more: the wire format of the simple-vpn-demo, in
which what is read from a TUN is sent as a datagram and what is received is written to the TUN.

And simplevpn with --insecure-plain, as the tests of that format run it."""

import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import threading

from netns import wait_until

PORT = 54345
_TUNSETIFF = 0x400454ca
_IFF_TUN, _IFF_NO_PI = 1, 0x1000


class DemoPeer:
    """Interface `tun0` on a host. It keeps what it sent and received, byte for byte."""

    def __init__(self, host, address, remote, port=PORT, mtu=1400):
        self.host, self.remote = host, remote
        self.sent, self.received = [], []
        with host.network():
            self._tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(self._tun, _TUNSETIFF, struct.pack("16sH22x", b"tun0",
                                                           _IFF_TUN | _IFF_NO_PI))
            self._udp = socket.socket(socket.AF_INET6 if ":" in remote[0] else socket.AF_INET,
                                      socket.SOCK_DGRAM)
        self._udp.bind(("", port))
        host.ip("address", "add", address, "dev", "tun0")
        host.ip("link", "set", "dev", "tun0", "mtu", mtu, "up")
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self._end)
        self._thread.join()
        os.close(self._ended)
        os.close(self._tun)
        self._udp.close()

    def _copy(self):
        while True:
            ready, _, _ = select.select([self._tun, self._udp, self._ended], [], [])
            if self._ended in ready:
                return
            if self._tun in ready:
                self.send(os.read(self._tun, 65536))
            if self._udp in ready:
                datagram, _ = self._udp.recvfrom(65536)
                self.received.append(datagram)
                with contextlib.suppress(OSError):
                    os.write(self._tun, datagram)

    def send(self, datagram):
        """Also what no TUN would ever give."""
        self.sent.append(datagram)
        with contextlib.suppress(OSError):
            self._udp.sendto(datagram, self.remote)


class PlainTunnel:
    """simplevpn in the foreground, made from the command line alone."""

    def __init__(self, host, program, *arguments, name="plain"):
        self.host, self.program, self.name = host, program, name
        self.arguments = arguments
        self.process = None
        self._log = f"/proc/{host.pid}/root/run/{name}.log"

    def __enter__(self):
        with open(self._log, "w", encoding="utf-8") as log:
            self.process = self.host.popen(self.program, *self.arguments, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self._answers(), what="tunnel up")
        assert self.process.poll() is None, self.errors()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)

    def _answers(self):
        return self.host.run(self.program, "status", self.name, check=False).returncode == 0

    def errors(self):
        with open(self._log, encoding="utf-8") as file:
            return file.read()

    def status(self):
        done = self.host.run(self.program, "status", self.name, "--json")
        return json.loads(done.stdout)["tunnels"][0]

    def drops(self):
        return self.status()["counters"]["drops"]


def ipv4(source, target, payload=b"", version=4):
    """An inside packet from and to these addresses; protocol 253, which means nothing to a host."""
    length = 20 + len(payload)
    header = struct.pack("!BBHHHBBH4s4s", version << 4 | 5, 0, length, 0, 0, 64, 253, 0,
                         socket.inet_aton(source), socket.inet_aton(target))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return header[:10] + struct.pack("!H", ~total & 0xffff) + header[12:] + payload
