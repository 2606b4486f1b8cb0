"""The block of the kill switch, and other programs on the machine: what it holds back, and who may
lift or replace it."""

import contextlib
import socket
import struct

import pytest

from leaks import CANARY, Programs, Watch, hardware_address
from proof import (BLOCKED, CLI4, INTERNET, OF_CLIENT, TUNNEL, outside, road, sent,
                   shared)  # noqa: F401  (`road` and `shared` are fixtures)
from road import INET4, INET6, PORT, SERVER4

MARK = 51820  # of our own datagrams


def test_a_mark_alone_opens_nothing(road):
    """Another process with CAP_NET_RAW may carry our mark."""
    tried = OF_CLIENT - {(SERVER4, "udp", PORT)}
    road.start_client("client")
    open_ = sent(road, tried, mark=MARK)
    assert outside(INTERNET) <= open_  # a mark is the way out, without the block
    road.down()
    road.start_client(*BLOCKED)
    assert sent(road, tried, mark=MARK) <= TUNNEL


def test_a_socket_that_is_bound_to_the_uplink(road):
    """SO_BINDTODEVICE goes around routes, and not around the block."""
    road.start_client("client")
    assert outside(INTERNET) <= sent(road, INTERNET, device="up0")
    road.down()
    road.start_client(*BLOCKED)
    assert sent(road, INTERNET, device="up0") <= TUNNEL


def test_what_looks_like_dhcp_or_neighbour_discovery(road):
    """Whoever may bind port 68 sends from it, and a raw socket sends ICMPv6 of any type."""
    def tried():
        with Watch({"up0": (road.cli, "up0")}) as watch, watch.phase("now"), road.cli.network():
            for family, address, ports in ((socket.AF_INET, INET4, (68, 67)),
                                           (socket.AF_INET6, INET6, (546, 547))):
                with socket.socket(family, socket.SOCK_DGRAM) as udp:
                    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"up0")
                    udp.bind(("", ports[0]))
                    with contextlib.suppress(PermissionError):
                        udp.sendto(CANARY, (address, ports[1]))
            with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"up0")
                raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
                for kind in (133, 135, 136):
                    with contextlib.suppress(PermissionError):
                        raw.sendto(bytes([kind]) + bytes(23) + CANARY, (INET6, 0))
        return {flow[1:] for flow in watch.canaries("now", "up0")}
    everything = {(INET4, "udp", 67), (INET6, "udp", 547),
                  *((INET6, "icmp6", kind) for kind in (133, 135, 136))}
    road.start_client("client")
    assert tried() == everything
    road.down()
    road.start_client(*BLOCKED)
    assert tried() == set()


def test_large_datagrams_and_their_fragments(road):
    def tried():
        with Watch({"up0": (road.cli, "up0")}) as watch, \
                Programs(road.cli, set(), big=[INET4, INET6]) as programs, watch.phase("now"):
            programs.rounds()
        return {(flow[1], flow[3]) for flow in watch.sent("now", "up0") - TUNNEL}
    assert tried() >= {(INET4, 7), (INET6, 7), (INET6, 0)}
    for command in (("client",), BLOCKED):
        road.start_client(*command)
        assert tried() == set()
        road.down()


def test_frames_pass_below_the_block(road):
    """AF_PACKET is no hole that a packet filter of this kind could close: it is documented."""
    road.start_client(*BLOCKED)
    router = hardware_address(road.rtr, "br0")
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(CANARY), 7, 0, 64, 253, 0,
                         socket.inet_aton(CLI4), socket.inet_aton(INET4)) + CANARY
    frame = router + hardware_address(road.cli, "up0") + b"\x08\x00" + packet
    with Watch({"up0": (road.cli, "up0")}) as watch, watch.phase("now"), road.cli.network(), \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
        raw.sendto(frame, ("up0", 0x0800))
    assert watch.canaries("now", "up0")


def test_a_second_tunnel_is_told_whose_block_there_is(road):
    road.start_client(*BLOCKED)
    road.cli.run("sh", "-c", "sed s/10.9/10.8/ /run/wg0.conf > /run/wg1.conf")
    rules = road.cli.run("nft", "list", "ruleset").stdout
    done = road.cli.run(road.program, *BLOCKED, "/run/wg1.conf", check=False)
    assert done.returncode == 4 and "that of wg0: simplevpn down wg0" in done.stderr
    assert road.cli.run("nft", "list", "ruleset").stdout == rules
    assert sent(road, INTERNET) <= TUNNEL


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "lost-journal"])
def test_unblock_lifts_what_a_dead_daemon_has_left(road, journal):
    road.start_client(*BLOCKED)
    road.kill_client()
    road.cli.run(road.program, "down", "--cleanup")
    assert sent(road, INTERNET) == set()
    if not journal:
        road.cli.run("sh", "-c", "rm /var/lib/simplevpn/*")
    road.cli.run(road.program, "unblock")
    assert sent(road, INTERNET) == outside(INTERNET)
    assert "ltun" not in road.cli.run("nft", "list", "tables").stdout


def test_unblock_needs_no_consent_of_a_tunnel_that_runs(road):
    road.start_client(*BLOCKED)
    road.cli.run(road.program, "unblock")
    assert sent(road, INTERNET) <= TUNNEL  # its routes are there
    assert outside(INTERNET) <= sent(road, INTERNET, device="up0")
    road.down()
    assert sent(road, INTERNET) == outside(INTERNET)


def test_a_signal_keeps_the_block_and_a_new_start_replaces_it(road):
    client = road.start_client(*BLOCKED)
    with Watch({"up0": (road.cli, "up0")}) as watch, Programs(road.cli, INTERNET) as programs, \
            Programs(road.container, INTERNET) as contained:
        with watch.phase("all"):
            client.terminate()
            assert client.wait(timeout=10) == 0
            programs.rounds()
            road.start_client(*BLOCKED)
            contained.rounds()
    assert watch.sent("all", "up0") <= TUNNEL
