"""Systems under test: start(stage), ends() (the daemons' pids), stop().

Those with a WireGuard control socket (ours too) are started and configured in exactly one way. A
peer named on the command line, `--peer NAME=COMMAND`, is started as COMMAND -f wg0.
"""

import collections
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess

from netns import wait_until

from .daemon import Daemon
from .openvpn import OpenVpn
from .stage import INSIDE, OUTSIDE, PORT

INTERFACE = "wg0"


def _wg(verb, **options):
    return subprocess.run(["wg", verb], capture_output=True, text=True, check=True,
                          **options).stdout.strip()


class Bare:
    """No tunnel: the cable itself."""

    target = OUTSIDE[1]

    def __init__(self, name="no tunnel"):
        self.name = name

    def missing(self):
        return None

    def running(self, _):
        return contextlib.nullcontext(self)

    def ends(self):
        return []

    def counters(self):
        return {}


class WireGuard(Daemon):
    """COMMAND -f wg0, then wg(8) and ip(8)."""

    output = subprocess.DEVNULL

    def __init__(self, name, command, environment=()):
        super().__init__(name)
        self._command = [str(part) for part in command]
        self._environment = {**os.environ, "LOG_LEVEL": "error", "WG_LOG_FILE": "/dev/null",
                             **dict(environment)}
        self._keys = ()

    def missing(self):
        return None if shutil.which(self._command[0]) else self._command[0]

    def prepare(self):
        private = [_wg("genkey") for _ in range(2)]
        self._keys = [(key, _wg("pubkey", input=key)) for key in private]

    def launch(self, stage, end):
        """Starts it and waits until it can be configured."""
        host = stage.hosts[end]
        listener = f"/run/wireguard/{INTERFACE}.sock"
        host.run("rm", "-f", listener)
        process = stage.popen(end, *self._command, "-f", INTERFACE, stdout=self.output,
                              stderr=subprocess.DEVNULL, env=self._environment)
        wait_until(lambda: process.poll() is not None or host.exists(listener),
                   what=f"{self.name} listens")
        assert process.poll() is None, f"{self.name} does not start: {self._command}"
        return process

    def start_end(self, stage, end):
        process = self.launch(stage, end)
        host, other = stage.hosts[end], 1 - end
        host.write("/run/wg0.conf", (
            f"[Interface]\nPrivateKey = {self._keys[end][0]}\nListenPort = {PORT}\n"
            f"[Peer]\nPublicKey = {self._keys[other][1]}\nEndpoint = {OUTSIDE[other]}:{PORT}\n"
            f"AllowedIPs = {INSIDE[other]}/32\n"))
        host.run("wg", "setconf", INTERFACE, "/run/wg0.conf")
        host.ip("address", "add", f"{INSIDE[end]}/24", "dev", INTERFACE)
        stage.interface(end, INTERFACE)
        return process


class Node(WireGuard):
    """Our engine with a cipher of choice, "null" for none. It tells what it counted."""

    output = subprocess.PIPE

    def __init__(self, build, cipher, offload=True):
        name = "null cipher" if cipher == "null" else f"libtunnel, {cipher}"
        super().__init__(name + ("" if offload else ", no offloads"),
                         [build / "bin/bench_node", "--cipher", cipher,
                          *([] if offload else ["--no-offload"])])

    def counters(self):
        """The engine's counters, of both ends together."""
        total = collections.Counter()
        for process in self._processes:
            process.send_signal(signal.SIGUSR1)
            found = json.loads(process.line(process.stdout))
            total.update({name: value for name, value in found.items()
                          if name not in ("case", "system")})
        return dict(total)


def ours(build):
    return WireGuard("libtunnel", [build / "bin/simplevpn", "tun"])


def wireguard_go():
    return WireGuard("wireguard-go", ["wireguard-go"],
                     {"WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"})


def peer(text):
    name, _, command = text.partition("=")
    return WireGuard(name, shlex.split(command))


def usual(options, bare=True):
    """The systems of every comparison, those that are there."""
    made = [Bare()] if bare else []
    made += [ours(options.build), wireguard_go(), OpenVpn("openvpn", "AES-256-GCM")]
    if not options.quick:
        made += [Node(options.build, "libsodium"), OpenVpn("openvpn, chacha", "CHACHA20-POLY1305")]
    made += [peer(text) for text in options.peer]
    return [system for system in made
            if system.missing() is None and (not options.only or system.name in options.only)]


def some(options, bare=True):
    """The same, but without OpenVPN when time is short: it takes seconds to start."""
    return [system for system in usual(options, bare)
            if not options.quick or not isinstance(system, OpenVpn)]
