"""A hundred times the same beginning, because a race that comes once in fifty is a fault too."""

import signal

import pytest

import traffic
from peers import Simplevpn, WireguardGo, join

OUTER = ("192.0.2.1", "192.0.2.2")
CYCLES = 100


@pytest.mark.parametrize("names", ["ours-theirs", "theirs-ours", "ours-ours"])
def test_a_hundred_starts_of_the_initiator_connect_at_once(cable, simplevpn, names):
    left, right = [Simplevpn(host, simplevpn) if name == "ours" else WireguardGo(host)
                   for name, host in zip(names.split("-"), cable)]
    join(left, right, OUTER, initiator="left")
    right.start()
    for cycle in range(CYCLES):
        left.start()
        assert traffic.ping(left.host, right.ipv4, count=5).lost == (), f"cycle {cycle}"
        left.stop(signal.SIGKILL if cycle % 2 else signal.SIGTERM)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_hundred_ends_in_mid_traffic_leave_nothing(cable, simplevpn, way):
    left, right = (Simplevpn(host, simplevpn) for host in cable)
    join(left, right, OUTER)
    right.start()
    before = state(left.host)
    for cycle in range(CYCLES):
        left.start()
        with traffic.Pinging(left.host, right.ipv4, interval=0.001, patience=0) as pinging:
            pinging.wait_for_more(1 + cycle)
            left.stop(way, timeout=2)
        if way == signal.SIGTERM:
            assert state(left.host) == before, f"cycle {cycle}"
    left.start()
    left.stop()
    assert state(left.host) == before


def state(host):
    """What a tunnel changes on a machine."""
    asked = (("-4", "route", "show", "table", "all"), ("-6", "route", "show", "table", "all"),
             ("rule",), ("-o", "link"), ("-o", "address"))
    files = host.run("ls", "/run/wireguard", "/run/simplevpn").stdout
    return [host.ip(*what).replace(" dadfailed", "") for what in asked] + [files]
