"""A client on the road, everything it could leak to, and what is seen on its uplink.

    lan ---+
           br0 rtr ------------ srv ------- inet
    cli ---+   (192.168.1.0/24)    198.51.100.0/24   203.0.113.0/24

Every network has an IPv6 twin. rtr also knows the way to inet without a tunnel, so that a leak
would arrive. Names of interfaces: up0 towards the left or to br0, net0 towards the right.
"""

import socket
import struct
import subprocess

from netns import wait_until
from peers import key

INET4, INET6 = "203.0.113.9", "2001:db8:3::9"
SERVER4, SERVER6 = "198.51.100.2", "2001:db8:2::2"
LAN4, LAN6 = "192.168.1.9", "2001:db8:1::9"
PORT = 51820


def public_key(private):
    return subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True,
                          check=True).stdout.strip()


def _forward(host):
    host.sysctl("net.ipv4.ip_forward", 1)
    host.sysctl("net.ipv6.conf.all.forwarding", 1)


class Road:
    """The hosts. `srv` has a default route by net0, its uplink."""

    def __init__(self, lab, program):
        self.lab, self.program = lab, program
        self.cli, self.lan, self.rtr, self.srv, self.inet = (
            lab.host(name) for name in ("cli", "lan", "rtr", "srv", "inet"))
        self.rtr.ip("link", "add", "br0", "type", "bridge")
        for host, number, port in ((self.cli, 5, "p0"), (self.lan, 9, "p1")):
            lab.veth(host, [f"192.168.1.{number}/24", f"2001:db8:1::{number}/64"], self.rtr, [],
                     names=("up0", port))
            self.rtr.ip("link", "set", port, "master", "br0")
            host.ip("route", "add", "default", "via", "192.168.1.1")
            host.ip("route", "add", "default", "via", "2001:db8:1::1")
        self.rtr.ip("address", "add", "192.168.1.1/24", "dev", "br0")
        self.rtr.ip("address", "add", "2001:db8:1::1/64", "dev", "br0", "nodad")
        self.rtr.ip("link", "set", "br0", "up")
        lab.veth(self.rtr, ["198.51.100.1/24", "2001:db8:2::1/64"],
                 self.srv, [f"{SERVER4}/24", f"{SERVER6}/64"], names=("net0", "up0"))
        lab.veth(self.rtr, ["203.0.113.2/24", "2001:db8:3::2/64"],
                 self.inet, [f"{INET4}/24", f"{INET6}/64"], names=("net1", "up0"))
        lab.veth(self.srv, ["203.0.114.1/24", "2001:db8:4::1/64"],
                 self.inet, ["203.0.114.9/24", "2001:db8:4::9/64"], names=("net0", "net0"))
        _forward(self.rtr)
        self.srv.ip("route", "add", "192.168.1.0/24", "via", "198.51.100.1")
        self.srv.ip("route", "add", "2001:db8:1::/64", "via", "2001:db8:2::1")
        self.srv.ip("route", "add", "default", "via", "203.0.114.9")
        self.srv.ip("route", "add", "default", "via", "2001:db8:4::9")
        self.inet.ip("route", "add", "192.168.1.0/24", "via", "203.0.113.2")
        self.inet.ip("route", "add", "2001:db8:1::/64", "via", "2001:db8:3::2")
        self.keys = {name: key() for name in ("srv", "cli")}

    def add_container(self):
        """A container behind a bridge of cli, as Docker makes it."""
        cli, container = self.cli, self.lab.host("container")
        self.lab.veth(container, ["172.17.0.2/16", "fd17::2/64"], cli, [], names=("eth0", "c0"))
        for command in ("link add docker0 type bridge", "link set c0 master docker0",
                        "address add 172.17.0.1/16 dev docker0",
                        "address add fd17::1/64 dev docker0 nodad", "link set docker0 up"):
            cli.ip(*command.split())
        container.ip("route", "add", "default", "via", "172.17.0.1")
        container.ip("route", "add", "default", "via", "fd17::1")
        _forward(cli)
        cli.run("nft", "table inet docker { chain post { type nat hook postrouting priority 100; "
                "ip saddr 172.17.0.0/16 oifname != docker0 masquerade; "
                "ip6 saddr fd17::/64 oifname != docker0 masquerade; }\n }")
        return container

    def start_server(self, *flags, port=PORT):
        """`port` None: the kernel chooses one."""
        self.srv.write("/run/wg0.conf", f"""[Interface]
PrivateKey = {self.keys["srv"]}
{f"ListenPort = {port}" if port else ""}
Address = 10.9.0.1/24, fd09::1/64
[Peer]
PublicKey = {public_key(self.keys["cli"])}
AllowedIPs = 10.9.0.2/32, fd09::2/128
""")
        return self._start(self.srv, "server", *flags)

    def start_client(self, *command, ipv6=True, endpoint=f"{SERVER4}:{PORT}", allowed=None,
                     extra=""):
        addresses = "10.9.0.2/24" + (", fd09::2/64" if ipv6 else "")
        allowed = allowed or "0.0.0.0/0" + (", ::/0" if ipv6 else "")
        self.cli.write("/run/wg0.conf", f"""[Interface]
PrivateKey = {self.keys["cli"]}
Address = {addresses}
{extra}
[Peer]
PublicKey = {public_key(self.keys["srv"])}
AllowedIPs = {allowed}
Endpoint = {endpoint}
""")
        return self._start(self.cli, *command)

    def _start(self, host, command, *flags):
        foreground = ["-f"] if command == "up" else []
        process = host.popen(self.program, "-q", command, *foreground, "/run/wg0.conf", *flags)
        wait_until(lambda: process.poll() is not None or
                   host.run(self.program, "status", "wg0", check=False).returncode == 0,
                   what=f"tunnel of {host.name} up")
        assert process.poll() is None, f"{host.name} ended with {process.returncode}"
        return process

    def down(self):
        self.cli.run(self.program, "down", "wg0")


def reaches(host, address, count=1, patience=2, source=None):
    """Does a ping come back?"""
    origin = ["-I", source] if source else []
    return host.run("ping", "-n", "-c", count, "-W", patience, *origin, address,
                    check=False).returncode == 0


def sent(tap, host_address):
    """(destination, protocol, port) of every IP packet in a capture that left a host; neighbour
    discovery, multicast listener reports and ARP are nobody's secret."""
    found = set()
    for _, frame in tap.frames():
        kind = struct.unpack_from("!H", frame, 12)[0]
        packet = frame[14:]
        if kind == 0x0800:
            ends, protocol, body = _ends(packet, socket.AF_INET, 12, 4), packet[9], 20
        elif kind == 0x86dd:
            ends, protocol, body = _ends(packet, socket.AF_INET6, 8, 16), packet[6], 40
            discovery = protocol == 58 and packet[40] in (135, 136)
            if ends[1].startswith(("ff02:", "fe80:")) or discovery:
                continue
        else:
            continue
        if ends[0] in host_address:
            port = struct.unpack_from("!H", packet, body + 2)[0] if protocol in (6, 17) else 0
            found.add((ends[1], protocol, port))
    return found


def _ends(packet, family, at, size):
    return [socket.inet_ntop(family, packet[i:i + size]) for i in (at, at + size)]
