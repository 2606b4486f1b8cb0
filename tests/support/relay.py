"""What a NAT does to a client's datagrams, and what it does when it forgets."""

import collections
import contextlib
import select
import socket
import threading


class Relay:
    """Passes datagrams on between the one client that sends to `near` and the server at `far`.
    `forget()` gives the client another port as the server sees it."""

    def __init__(self, host, near, far):
        self._host, self._far = host, far
        self._near = self._socket(near)
        self._outer = self._socket(("0.0.0.0", 0))
        self._forgotten = collections.deque()  # closed by the thread, which may be using them
        self._client = None
        self._wake, self._woken = socket.socketpair()
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _socket(self, address):
        with self._host.network():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(address)
        return made

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended = True
        self._wake.send(b"x")
        self._thread.join()
        for one in (self._near, self._outer, self._wake, self._woken, *self._forgotten):
            one.close()

    def port(self):
        """The client's port as the server sees it."""
        return self._outer.getsockname()[1]

    def forget(self):
        self._outer, old = self._socket(("0.0.0.0", 0)), self._outer
        self._forgotten.append(old)
        self._wake.send(b"x")

    def _run(self):
        while not self._ended:
            outer = self._outer
            readable, _, _ = select.select([self._near, outer, self._woken], [], [])
            if self._woken in readable:
                self._woken.recv(1)
                while self._forgotten:
                    self._close(self._forgotten.popleft())
                continue
            if self._near in readable:
                datagram, self._client = self._near.recvfrom(65535)
                outer.sendto(datagram, self._far)
            if outer in readable and self._client:
                self._near.sendto(outer.recv(65535), self._client)

    def _close(self, old):
        """What had arrived before it was forgotten is passed on."""
        with old, contextlib.suppress(BlockingIOError):
            old.setblocking(False)
            while True:
                datagram = old.recv(65535)
                if self._client:
                    self._near.sendto(datagram, self._client)
