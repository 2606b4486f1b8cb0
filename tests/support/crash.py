"""Kills what starts or ends a tunnel at a random moment and looks whether a clean-up leaves a
trace."""

import random
import signal
import subprocess
import time
from dataclasses import dataclass

import machine
from names import own_etc
from netns import wait_until
from program import CONFIG as SERVER
from program import PEER, PRIVATE

FILE = "/run/wg0.conf"

# Everything goes through the tunnel: routes and rules in two families, a table, kernel settings and
# name servers.
CONFIG = f"""[Interface]
PrivateKey = {PRIVATE}
ListenPort = 51820
Address = 10.9.0.1/24, fd09::1/64
DNS = 10.9.0.53, corp.example

[Peer]
PublicKey = {PEER}
Endpoint = 192.0.2.2:51820
AllowedIPs = 0.0.0.0/0, ::/0
"""

@dataclass(frozen=True)
class Way:
    """How a tunnel is started, and what is killed: that, or else what ends it. A clean-up has
    something to do after a crash only."""
    start: tuple
    config: str = CONFIG
    blocks: bool = False
    end: tuple = ()
    crashed: bool = False


WAYS = {
    "up": Way(("up", "-f")),
    "kill-switch": Way(("client", "--kill-switch"), blocks=True),
    "server": Way(("server",), SERVER),
    "down": Way(("up",), end=("down", "wg0")),
    "down-kill-switch": Way(("up", "--kill-switch"), blocks=True, end=("down", "wg0")),
    "clean-up": Way(("up",), end=("down", "--cleanup"), crashed=True),
}


def furnish(host):
    """What other programs have on a machine and what must survive: a table, a rule and a route."""
    own_etc(host, "nameserver 192.0.2.53\n")
    host.ip("link", "add", "uplink", "type", "veth", "peer", "name", "far")
    for name in ("uplink", "far"):
        host.ip("link", "set", "dev", name, "addrgenmode", "none", "up")
    for name in ("uplink", "far"):
        wait_until(lambda name=name: "NO-CARRIER" not in host.ip("link", "show", "dev", name),
                   what=f"{name} has a carrier")
    host.ip("address", "add", "192.0.2.1/24", "dev", "uplink")
    host.ip("route", "add", "default", "via", "192.0.2.2", "dev", "uplink")
    host.ip("route", "add", "10.200.0.0/16", "dev", "uplink", "table", "200", "proto", "static")
    host.ip("rule", "add", "to", "10.200.0.0/16", "lookup", "200", "priority", "300")
    host.run("nft", "-f", "-", input=(
        "table ip theirs {\n chain forward {\n"
        "  type filter hook forward priority filter; policy drop;\n"
        "  counter accept comment \"theirs\"\n }\n}\n"
        "table inet theirs {\n set hosts { type ipv4_addr; elements = { 192.0.2.7 } }\n}\n"))


def kill(host):
    """Kills the daemon; returns whether there was one. Gone afterwards are also its packet process,
    which learns of that death a little later, and so the interface and the listener, which are that
    process's."""
    killed = host.kill("simplevpn", signal.SIGKILL)
    for name in ("simplevpn", "simplevpn-pkt"):
        wait_until(lambda name=name: not host.pids(name), what=f"{name} is dead")
    wait_until(lambda: not host.has_interface("wg0"), what="its interface is gone")
    return killed > 0


def time_of_start(host, program):
    """In seconds, with the configuration that is there."""
    begin = time.monotonic()
    host.run(program, "up", FILE)
    took = time.monotonic() - begin
    host.run(program, "down", "wg0")
    return took


def start_and_kill(host, command, after_s):
    """Starts a command and kills it, and the daemon if that is another process."""
    process = host.popen(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    host.kill("simplevpn", signal.SIGKILL)
    process.kill()  # also when it is no more than a process yet
    process.wait(timeout=10)
    kill(host)


def assert_only_blocked(before, after, when, never=False):
    """With the kill switch an end leaves the block and its record, or neither when there was never
    a block."""
    changed = {fact for fact, text in before.items() if after[fact] != text}
    block = {"packet filter", "state"}
    assert changed in ([block, set()] if never else [block]), f"{when}: {changed}"


class Cycles:
    """Starts that are killed and cleaned up after, on one furnished host, by one way."""

    def __init__(self, host, program, way):
        self.host, self.program, self.way = host, program, way
        self.left = self.midway = 0  # cycles with something to clean up; with an end half done
        host.write(FILE, way.config)
        self._before = machine.describe(host)
        self._crashed = None
        self._longest = self._measure_end() if way.end else 4 * time_of_start(host, program)

    def run(self, seed):
        """One cycle: whatever the moment, one clean-up leaves nothing, or nothing but the block."""
        self._wreck(random.Random(seed).uniform(0, self._longest))
        after = machine.describe(self.host)
        self.left += after != self._before
        self.midway += after not in (self._before, self._crashed)
        if seed % 5 == 4:  # a start and a stop clean up as well
            self._call(seed, "up", *(["--kill-switch"] if self.way.blocks else []), FILE)
            self._call(seed, "down", "wg0")
        else:
            self._call(seed, "down", "--cleanup")
            if self.way.blocks:
                assert_only_blocked(self._before, machine.describe(self.host), f"seed {seed}",
                                    never=True)
                self._call(seed, "unblock", "wg0")
        found = machine.differences(self._before, machine.describe(self.host))
        assert not found, f"seed {seed}:\n" + "\n".join(found)

    def _measure_end(self):
        """How long an end takes, and what a crash right before it leaves."""
        self._begin()
        begin = time.monotonic()
        self.host.run(self.program, *self.way.end)
        took = time.monotonic() - begin
        self.host.run(self.program, *self.way.start, FILE)
        kill(self.host)
        self._crashed = machine.describe(self.host)
        self._call("none", "down", "--cleanup")
        self._call("none", "unblock")
        return 1.2 * took

    def _begin(self):
        """Up to where the end begins."""
        self.host.run(self.program, *self.way.start, FILE)
        if self.way.crashed:
            kill(self.host)

    def _wreck(self, after_s):
        if self.way.end:
            self._begin()
        command = self.way.end or (*self.way.start, FILE)
        start_and_kill(self.host, (self.program, *command), after_s)

    def _call(self, seed, *arguments):
        done = self.host.run(self.program, *arguments, check=False)
        assert done.returncode == 0, f"seed {seed}: {arguments}: {done.stderr}"
