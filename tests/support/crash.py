"""Kills a tunnel's daemon at a random moment and looks whether a clean-up leaves a trace."""

import random
import signal
import subprocess
import time

import machine
from netns import wait_until
from program import PEER, PRIVATE

LONGEST_S = 0.5  # a start takes a fifth of it

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


def furnish(host):
    """What other programs have on a machine and what must survive: a table, a rule and a route."""
    host.replace_file("/etc/resolv.conf", "nameserver 192.0.2.53\n")
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
    """Kills the daemon; it and its interface are gone afterwards."""
    host.kill("simplevpn", signal.SIGKILL)
    wait_until(lambda: not host.pids("simplevpn"), what="the daemon is dead")
    wait_until(lambda: "wg0" not in host.ip("link"), what="its interface is gone")


def start_and_kill(host, program, arguments, seed):
    """One start, and one kill -9 in the middle of it or after it."""
    daemon = host.popen(program, *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(seed).uniform(0, LONGEST_S))
    daemon.kill()  # also when it is no more than a process yet
    daemon.wait(timeout=10)
    kill(host)


def clean(host, program, seed, *arguments):
    done = host.run(program, *arguments, check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"


def cycle(host, program, arguments, seed):
    """A start that is killed, one clean-up: nothing is left. Returns whether there was anything to
    clean up."""
    before = machine.describe(host)
    start_and_kill(host, program, arguments, seed)
    left = bool(machine.differences(before, machine.describe(host)))
    clean(host, program, seed, "down", "--cleanup")
    found = machine.differences(before, machine.describe(host))
    assert not found, f"seed {seed}:\n" + "\n".join(found)
    return left


def cycle_blocked(host, program, arguments, seed):
    """With the kill switch a clean-up leaves the block and its record, and `unblock` nothing.
    Returns whether there was a block."""
    before = machine.describe(host)
    start_and_kill(host, program, arguments, seed)
    clean(host, program, seed, "down", "--cleanup")
    blocked = machine.describe(host)
    changed = {fact for fact, text in before.items() if blocked[fact] != text}
    assert changed <= {"packet filter", "state"}, f"seed {seed}: {changed}"
    assert len(changed) != 1, f"seed {seed}: a block without a record, or the other way round"
    clean(host, program, seed, "unblock", "wg0")
    found = machine.differences(before, machine.describe(host))
    assert not found, f"seed {seed}:\n" + "\n".join(found)
    return bool(changed)
