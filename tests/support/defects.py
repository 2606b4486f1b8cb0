"""Hosts of the tests about the simple-vpn-demo's defects, and what is done to them."""

import socket

import pytest

import machine
from program import need

SERVER, CLIENT = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def pair(lab):
    """Hosts "server" and "client" with a cable between them."""
    need("wg")
    server, client = lab.host("server"), lab.host("client")
    lab.veth(server, [f"{SERVER}/24", "2001:db8::1/64"], client,
             [f"{CLIENT}/24", "2001:db8::2/64"])
    return server, client


def throw(host, datagrams, target):
    with host.network():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for datagram in datagrams:
            sender.sendto(datagram, target)


def changed(before, host):
    """What is not as before, but for the count of connections, and the file that remembers on
    purpose where peers were."""
    lines = machine.differences(before, machine.describe(host))
    journals = host.run("find", "/var/lib/simplevpn", "-name", "*.journal").stdout.splitlines()
    return journals + [line for line in lines
                       if "nf_conntrack_count" not in line and not line.startswith("state: ")]
