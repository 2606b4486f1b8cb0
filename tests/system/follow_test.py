"""What a running tunnel has set follows the machine and the peers."""

import json
import os
import random
import socket

import pytest

import crash
import machine
import wire
from names import NameServer, own_etc
from netns import wait_until
from peers import key
from program import need
from road import INET4, PORT, SERVER4, SERVER6, public_key, reaches, sent

INSIDE = "203.0.114.9"  # reached by the server's uplink only
OURS = ("192.168.1.5", "192.168.2.5", "2001:db8:1::5", "10.9.0.2", "fd09::2")
SERVER = {(SERVER4, socket.IPPROTO_UDP, PORT)}


@pytest.fixture
def road(road):
    road.start_server()
    return road


def seen(host):
    """The machine without the journal, which tells how often something was put back."""
    return {fact: text for fact, text in machine.describe(host).items() if fact != "state"}


def events(road):
    """States that the daemon told so far."""
    # Without --foreground a SIGCONT follows the SIGTERM, and the leak checker, which stops the
    # process when it ends, may wait for ever for a stop that this one undid.
    lines = road.cli.run("timeout", "--foreground", "1", road.program, "events", "wg0", "--json",
                         "--since", "all", check=False).stdout.splitlines()
    return [json.loads(line)["state"] for line in lines]


def block(road, name):
    return road.cli.run("nft", "list", "set", "inet", "ltun", name).stdout


def wait_for_route(road, way):
    wait_until(lambda: way in road.cli.ip("route", "show", SERVER4), what=way)


TAKEN_AWAY = [
    "ip rule del priority 31821",
    "ip -6 rule del priority 31821",
    "ip route flush table 51820",
    "ip rule flush; ip rule add lookup main priority 32766; "
    "ip rule add lookup default priority 32767",
    "nft delete table inet ltun_wg0",
    "nft flush ruleset",
    "ip link set wg0 down",
    "ip address del 10.9.0.2/24 dev wg0",
]


def test_what_others_take_away_is_put_back_and_told(road):
    before = machine.describe(road.cli)
    road.start_client("client", "--kill-switch")
    running = seen(road.cli)
    for command in TAKEN_AWAY:
        road.cli.run("/bin/sh", "-c", command)
        wait_until(lambda: not machine.differences(running, seen(road.cli)), what=command)
    assert reaches(road.cli, INSIDE)
    wait_until(lambda: events(road).count("setting_restored") >= len(TAKEN_AWAY), what="all told")
    road.down()
    assert not machine.differences(before, machine.describe(road.cli))


def test_nothing_gets_out_while_rules_are_taken_away_under_the_kill_switch(road):
    road.start_client("client", "--kill-switch")
    assert reaches(road.cli, INSIDE)
    with wire.Capture(road.cli, "up0") as tap:
        pings = road.cli.popen("ping", "-n", "-i", "0.01", "-c", "100", INET4, stdout=-3)
        for command in TAKEN_AWAY[:3]:
            road.cli.run("/bin/sh", "-c", command)
            wait_until(lambda: "31821" in road.cli.ip("rule"), what="the rule is back")
        pings.wait(timeout=20)
    assert sent(tap, OURS) == SERVER


def test_a_bridge_that_comes_later_is_reached_as_long_as_it_is_there(road):
    road.start_client("client")
    container = road.add_container()
    kept = "to 172.17.0.0/16 lookup main"
    wait_until(lambda: kept in road.cli.ip("rule"), what="the bridge's network is kept")
    with wire.Capture(road.cli, "up0") as tap:
        assert reaches(road.cli, "172.17.0.2") and reaches(container, INSIDE)
    assert sent(tap, OURS) <= SERVER
    road.cli.ip("link", "del", "docker0")
    wait_until(lambda: kept not in road.cli.ip("rule"), what="it is no longer kept")
    assert reaches(road.cli, INSIDE)


def add_uplink(road):
    """Without `dev` the gateway would be looked up through our own rule."""
    road.lab.veth(road.cli, "192.168.2.5/24", road.rtr, "192.168.2.1/24", names=("up1", "net2"))
    road.srv.ip("route", "add", "192.168.2.0/24", "via", "198.51.100.1")
    road.inet.ip("route", "add", "192.168.2.0/24", "via", "203.0.113.2")
    road.cli.ip("route", "add", "default", "via", "192.168.2.1", "dev", "up1",
                "metric", "600")


def lose_uplink(road):
    """As when a cable is pulled and a daemon takes its addresses away."""
    road.cli.ip("link", "set", "up0", "down")


def test_a_split_tunnel_follows_the_gateway_and_the_uplink(road):
    before = machine.describe(road.cli)
    road.start_client("client", "--split")
    wait_for_route(road, f"{SERVER4} via 192.168.1.1 dev up0")
    road.rtr.ip("address", "add", "192.168.1.2/24", "dev", "br0")
    road.cli.ip("route", "replace", "default", "via", "192.168.1.2")
    wait_for_route(road, f"{SERVER4} via 192.168.1.2 dev up0")
    assert reaches(road.cli, INSIDE)
    road.cli.ip("route", "replace", "default", "via", "192.168.1.1")
    wait_for_route(road, f"{SERVER4} via 192.168.1.1 dev up0")
    road.down()
    assert not machine.differences(before, machine.describe(road.cli))
    add_uplink(road)
    road.start_client("client", "--split")
    lose_uplink(road)
    wait_for_route(road, f"{SERVER4} via 192.168.2.1 dev up1")
    wait_until(lambda: reaches(road.cli, INSIDE, patience=1), what="the tunnel goes on")


def test_a_second_uplink_takes_over_and_nothing_gets_out_beside_the_tunnel(road):
    road.start_client("client", "--kill-switch")
    assert reaches(road.cli, INSIDE)
    add_uplink(road)
    arp = "/proc/sys/net/ipv4/conf/up1/arp_ignore"
    wait_until(lambda: road.cli.read(arp).strip() == "1", what="up1 is guarded")
    with wire.Capture(road.cli, "up1") as tap:
        lose_uplink(road)
        wait_until(lambda: reaches(road.cli, INSIDE, patience=1), what="the tunnel goes on")
        reaches(road.cli, INET4, patience=1)
    assert sent(tap, OURS) == SERVER
    road.down()
    assert road.cli.read(arp).strip() == "0"


def test_an_endpoint_set_by_wg_replaces_the_old_one_in_the_block(road):
    road.start_client("client", "--kill-switch")
    assert reaches(road.cli, INSIDE)
    assert f"{SERVER4} . {PORT}" in block(road, "endpoints4")
    peer = public_key(road.keys["srv"])
    with wire.Capture(road.cli, "up0") as tap:
        road.cli.run("wg", "set", "wg0", "peer", peer, "endpoint", f"[{SERVER6}]:{PORT}")
        assert f"{SERVER6} . {PORT}" in block(road, "endpoints6")
        assert SERVER4 not in block(road, "endpoints4")
        wait_until(lambda: reaches(road.cli, INSIDE, patience=1), what="the tunnel goes on")
    assert (SERVER6, socket.IPPROTO_UDP, PORT) in sent(tap, OURS)


def test_the_block_knows_an_address_before_the_first_datagram(road):
    """The server's name is unknown for a while; packets wait for it all the time."""
    own_etc(road.cli, "nameserver 192.168.1.1\n")
    resolver = NameServer(road.rtr, "192.168.1.1", {})
    road.start_client("client", "--kill-switch", endpoint=f"vpn.test:{PORT}")
    with wire.Capture(road.cli, "up0") as tap:
        pings = road.cli.popen("ping", "-n", "-i", "0.002", INSIDE, stdout=-3)
        resolver.tell({"vpn.test": [SERVER4]})
        wait_until(lambda: reaches(road.cli, INSIDE, patience=1), timeout=20, what="the tunnel")
        pings.kill()
    check_first_datagram(road, tap)


def check_first_datagram(road, tap):
    """It was not lost, so that there is no second one."""
    begun = [datagram for datagram in tap.datagrams()
             if datagram.kind == wire.INITIATION and datagram.target == (SERVER4, PORT)]
    status = json.loads(road.cli.run(road.program, "status", "wg0", "--json").stdout)
    assert len(begun) == 1 and status["tunnels"][0]["engine"]["transport_drops"] == {}


MOVED_FROM = ("198.51.100.8", "198.51.100.9")


def test_a_server_that_moved_is_found_by_its_name_under_the_kill_switch(road):
    """Its name is asked of the uplink's resolver, with our mark, because nothing else gets out; the
    block knows the answer before the first datagram, which nobody has to send twice."""
    own_etc(road.cli, "nameserver 192.168.1.1\n")
    resolver = NameServer(road.rtr, "192.168.1.1", {"vpn.test": MOVED_FROM})
    road.start_client("client", "--kill-switch", endpoint=f"vpn.test:{PORT}",
                      extra="DNS = 10.9.0.1")
    assert any(address in block(road, "endpoints4") for address in MOVED_FROM)
    assert resolver.asked() == {"vpn.test"}
    resolver.tell({"vpn.test": [SERVER4]})
    with wire.Capture(road.cli, "up0") as tap:
        wait_until(lambda: reaches(road.cli, INSIDE, patience=1), timeout=40, what="the tunnel")
    assert resolver.asked() == {"vpn.test"}
    assert not any(address in block(road, "endpoints4") for address in MOVED_FROM)
    assert sent(tap, OURS) <= SERVER | {(address, socket.IPPROTO_UDP, PORT)
                                        for address in MOVED_FROM} | {
        ("192.168.1.1", socket.IPPROTO_UDP, 53)}
    check_first_datagram(road, tap)


def second_server(road):
    """Another server on srv. Returns its public key."""
    private, port = key(), 51821
    road.srv.write("/run/wg1.conf", f"""[Interface]
PrivateKey = {private}
ListenPort = {port}
[Peer]
PublicKey = {public_key(road.keys["cli"])}
AllowedIPs = 10.10.0.2/32
""")
    road.srv.run(road.program, "-q", "up", "/run/wg1.conf")
    return public_key(private)


def shakes_hands(road, peer):
    for line in road.cli.run("wg", "show", "wg0", "latest-handshakes").stdout.splitlines():
        if line.startswith(peer):
            return not line.endswith("\t0")
    return False


def test_a_peer_that_wg_adds_gets_through_the_block_and_one_that_it_removes_does_not(road):
    road.start_client("client", "--kill-switch")
    peer = second_server(road)
    road.cli.run("wg", "set", "wg0", "peer", peer, "endpoint", f"{SERVER4}:51821", "allowed-ips",
                 "10.10.0.0/24", "persistent-keepalive", "1")
    wait_until(lambda: shakes_hands(road, peer), what="a handshake with the new peer")
    assert "51821" in block(road, "endpoints4")
    road.cli.run("wg", "set", "wg0", "peer", peer, "remove")
    wait_until(lambda: "51821" not in block(road, "endpoints4"), what="it has left the block")


def test_a_reload_brings_peers_routes_and_the_block_together(road):
    road.start_client("up", "--strict", "--kill-switch")
    peer = second_server(road)
    text = road.cli.read("/run/wg0.conf")
    road.cli.write("/run/wg0.conf", f"""{text}[Peer]
PublicKey = {peer}
AllowedIPs = 10.10.0.0/24
Endpoint = {SERVER4}:51821
PersistentKeepalive = 1
""")
    road.cli.run(road.program, "reload", "wg0")
    wait_until(lambda: shakes_hands(road, peer), what="a handshake with the new peer")
    table = ("route", "show", "table", "51820")
    wait_until(lambda: "10.10.0.0/24 dev wg0" in road.cli.ip(*table), what="its route")
    road.cli.write("/run/wg0.conf", text)
    road.cli.run(road.program, "reload", "wg0")
    wait_until(lambda: "10.10.0.0/24" not in road.cli.ip(*table), what="the route is gone")
    wait_until(lambda: "51821" not in block(road, "endpoints4"), what="it has left the block")
    assert reaches(road.cli, INSIDE)


def test_a_mark_set_by_wg_reaches_socket_rules_and_block_together(road):
    before = machine.describe(road.cli)
    road.start_client("client", "--kill-switch")
    assert road.cli.run("wg", "show", "wg0", "fwmark").stdout.strip() == "0xca6c"
    for mark, shown in (("7", "0x7"), ("0", "0xca6c")):
        road.cli.run("wg", "set", "wg0", "fwmark", mark)
        rules = road.cli.ip("rule")
        assert rules.count("not from all fwmark") == 1 and f"fwmark {shown} " in rules
        assert road.cli.run("wg", "show", "wg0", "fwmark").stdout.strip() == shown
        assert reaches(road.cli, INSIDE)
    road.down()
    assert not machine.differences(before, machine.describe(road.cli))


def test_a_start_without_the_flag_goes_on_with_the_block_that_is_there(road):
    before = machine.describe(road.cli)
    road.start_client("client", "--kill-switch")
    crash.kill(road.cli)
    road.start_client("up", endpoint=f"[{SERVER6}]:{PORT}")
    assert reaches(road.cli, INSIDE)
    assert f"{SERVER6} . {PORT}" in block(road, "endpoints6")
    assert SERVER4 not in block(road, "endpoints4")
    assert "kill switch on" in road.cli.run(road.program, "status", "wg0").stdout
    road.down()
    assert not machine.differences(before, machine.describe(road.cli))


def test_wg_quick_takes_a_tunnel_of_ours_down(road):
    """Its loop over the rules of that mark ends although ours are put back at first."""
    need("wg-quick")
    before = machine.describe(road.cli)
    road.start_client("up", extra="DNS = 10.9.0.1\n")
    road.cli.run("wg-quick", "down", "/run/wg0.conf")
    wait_until(lambda: not road.cli.pids("simplevpn"), what="the daemon has ended")
    assert not machine.differences(before, machine.describe(road.cli))


def used_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_two_programs_that_do_not_agree_do_not_eat_a_processor(road):
    road.start_client("client")
    fight = road.cli.popen(
        "/bin/sh", "-c", "while :; do ip rule del priority 31821; sleep 0.01; done",
        stdout=-3, stderr=-3)
    pids = road.cli.pids("simplevpn")
    before = sum(map(used_seconds, pids))
    wait_until(lambda: "setting_fought_over" in events(road), what="the fight is told")
    restored = events(road).count("setting_restored")
    assert sum(map(used_seconds, pids)) - before < 1
    fight.kill()
    fight.wait()
    assert restored < 12
    wait_until(lambda: "priority 31821" in road.cli.ip("rule") or
               "31821:" in road.cli.ip("rule"), what="the rule is back in the end")
    assert reaches(road.cli, INSIDE)


@pytest.mark.parametrize("seed", range(4))
def test_a_daemon_killed_while_it_follows_leaves_nothing_after_a_clean_up(furnished, simplevpn,
                                                                          seed):
    host = furnished
    host.write("/run/wg0.conf", crash.CONFIG)
    before = machine.describe(host)
    longest = 4 * crash.time_of_start(host, simplevpn)
    host.write("/run/changing", "")
    changes = host.popen("/bin/sh", "-c", """while [ -e /run/changing ]; do
  ip rule del priority 31821; ip route replace default via 192.0.2.3 dev uplink
  ip link add br7 type bridge; ip address add 172.30.0.1/16 dev br7; ip link set br7 up
  ip link del br7; ip route replace default via 192.0.2.2 dev uplink
done""", stdout=-3, stderr=-3)
    scheme = ["--split"] if seed % 2 else []
    crash.start_and_kill(host, (simplevpn, "client", "/run/wg0.conf", *scheme),
                         random.Random(seed).uniform(0, longest))
    host.run("rm", "/run/changing")  # a round of changes ends with everything as it was
    changes.wait()
    host.run(simplevpn, "down", "--cleanup")
    assert not machine.differences(before, machine.describe(host))
