"""Two hosts and a cable, the same for every system under test.

The client is the first host, the server the second. A wire-like cable has no offloads: veth passes
a train of UDP datagrams or a TCP superpacket through whole and never sums it, which flatters those
who send such trains; a network card without these offloads gets single datagrams, as here.
"""

import contextlib
import errno
import os
import socket

import netns
from peers import borrowed_socket, sockets_of

MTU = 1420
PORT = 51820
OUTSIDE = ("192.0.2.1", "192.0.2.2")
INSIDE = ("10.77.0.1", "10.77.0.2")
TX_QUEUE = 500
SOCKET_BUFFER = 4 << 20
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_CABLES = {"plain": (), "no-uso": (("tx-udp-segmentation", "off"),),
           "wire": (("tx-udp-segmentation", "off"), ("gso", "off"), ("gro", "off"),
                    ("tso", "off"))}
CABLES = tuple(_CABLES)


class Stage:
    """`with Stage() as stage:` stage.hosts are there until the end of the block."""

    def __init__(self, options=None):
        self.cable = options.cable if options else "plain"
        self.pin = bool(options and options.pin)
        self.same_buffers = not (options and options.own_buffers)
        self.hosts = ()
        self._lab = netns.Lab()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._lab)
            self.hosts = tuple(self._lab.host(name) for name in ("client", "server"))
            names = self._lab.veth(self.hosts[0], f"{OUTSIDE[0]}/24",
                                   self.hosts[1], f"{OUTSIDE[1]}/24")
            for host, name in zip(self.hosts, names):
                for feature, state in _CABLES[self.cable]:
                    host.run("ethtool", "-K", name, feature, state)
                host.sysctl("net.ipv4.tcp_no_metrics_save", 1)  # runs know nothing of each other
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self._lab.close()

    def popen(self, end, *command, **options):
        """A program on one host; pinned runs keep an end, its daemon and its load on one core."""
        core = ("taskset", "-c", str(end % os.cpu_count())) if self.pin else ()
        return self.hosts[end].popen(*core, *command, **options)

    def run(self, end, *command, **options):
        core = ("taskset", "-c", str(end % os.cpu_count())) if self.pin else ()
        return self.hosts[end].run(*core, *command, **options)

    def interface(self, end, name):
        """What every tunnel's interface gets, whoever made it."""
        host = self.hosts[end]
        host.ip("link", "set", "dev", name, "mtu", MTU, "txqueuelen", TX_QUEUE, "up")


def widen(pid):
    """The same socket buffers for every daemon, whatever it asked for: on copies of its
    descriptors, because the system's default belongs to the machine."""
    for number in sockets_of(pid):
        try:
            copy = borrowed_socket(pid, number)
        except OSError as error:
            if error.errno in (errno.EBADF, errno.ENOTSOCK):
                continue  # closed meanwhile: somebody's question was answered
            raise
        with copy:
            if copy.type == socket.SOCK_DGRAM and copy.family in (socket.AF_INET, socket.AF_INET6):
                for option in (_SO_SNDBUFFORCE, _SO_RCVBUFFORCE):
                    copy.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
