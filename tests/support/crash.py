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


def cycle(host, program, arguments, seed):
    """One start, one kill -9 in the middle of it or after it, one clean-up."""
    before = machine.describe(host)
    daemon = host.popen(program, *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(seed).uniform(0, LONGEST_S))
    kill(host)
    daemon.wait(timeout=10)
    done = host.run(program, "down", "--cleanup", check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    found = machine.differences(before, machine.describe(host))
    assert not found, f"seed {seed}:\n" + "\n".join(found)
