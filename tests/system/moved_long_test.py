"""A server that comes back at another address, and nothing is shortened."""

import socket

import wire
from names import NameServer, own_etc
from netns import wait_until
from road import PORT, SERVER4, reaches, sent

INSIDE = "203.0.114.9"
MOVED_TO = "198.51.100.22"


def test_a_server_that_moves_is_followed_under_the_kill_switch(road):
    """15 s until the client misses answers, 90 s until it gives the address up."""
    server = road.start_server()
    own_etc(road.cli, "nameserver 192.168.1.1\n")
    resolver = NameServer(road.rtr, "192.168.1.1", {"vpn.test": [SERVER4]})
    road.start_client("client", "--kill-switch", endpoint=f"vpn.test:{PORT}",
                      extra="DNS = 10.9.0.1")
    wait_until(lambda: reaches(road.cli, INSIDE, patience=1), what="the tunnel")
    with wire.Capture(road.cli, "up0") as tap:
        server.terminate()  # it forgets the session, and where the client was
        server.wait(timeout=10)
        road.srv.run("sh", "-c", "rm -f /var/lib/simplevpn/*")
        road.srv.ip("address", "del", f"{SERVER4}/24", "dev", "up0")
        road.srv.ip("address", "add", f"{MOVED_TO}/24", "dev", "up0")
        road.srv.ip("route", "add", "192.168.1.0/24", "via", "198.51.100.1")
        road.start_server()
        resolver.tell({"vpn.test": [MOVED_TO]})
        wait_until(lambda: reaches(road.cli, INSIDE, patience=1), timeout=150, what="the tunnel")
    block = road.cli.run("nft", "list", "set", "inet", "ltun", "endpoints4").stdout
    assert f"elements = {{ {MOVED_TO} . {PORT} }}" in block
    assert sent(tap, ("192.168.1.5", "10.9.0.2")) == {
        (address, socket.IPPROTO_UDP, port) for address, port in (
            (SERVER4, PORT), (MOVED_TO, PORT), ("192.168.1.1", 53))}
