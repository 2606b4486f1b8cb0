"""`doctor` names the cause of what was made to go wrong."""

import os
import re
import shutil
import socket
import subprocess

import pytest

import checkup
import traffic
import wire
from netns import wait_until
from peers import Simplevpn, join, key

OUTER = ("192.0.2.1", "192.0.2.2")


@pytest.fixture
def pair(lab, simplevpn):
    """A client that calls, and a server."""
    left, right = lab.host("cli"), lab.host("srv")
    lab.veth(left, [f"{OUTER[0]}/24"], right, [f"{OUTER[1]}/24"])
    client, server = Simplevpn(left, simplevpn), Simplevpn(right, simplevpn)
    join(client, server, OUTER, initiator="left")
    return client, server


def edit(side, pattern, replacement):
    """Changes the file of a side that was configured."""
    path = f"/run/{side.interface}.conf"
    text = re.sub(pattern, replacement, side.host.read(path), flags=re.M)
    side.host.write(path, text)


def run_up(*sides):
    for side in sides:
        side.launch()
        side.wait_until_up()


def doctor(side, *arguments, exit_status=7):
    return checkup.complaints(side.host, side.program, f"/run/{side.interface}.conf", *arguments,
                              exit_status=exit_status)


def other_key():
    return subprocess.run(["wg", "pubkey"], input=key(), capture_output=True, text=True,
                          check=True).stdout.strip()


def until_counted(side, drop):
    wait_until(lambda: side.drops().get(drop), timeout=15, what=f"{drop} counted")


def test_a_sound_pair_is_sound(pair):
    client, server = pair
    server.start()
    client.start()
    assert traffic.ping(client.host, server.ipv4, count=1).lost == ()
    for side in pair:
        assert doctor(side, exit_status=0) == {}
    text = client.host.run(client.program, "doctor", client.interface).stdout
    assert re.search(r"^PASS handshake: ", text, re.M)
    client.host.ip("route", "add", f"{OUTER[1]}/32", "dev", client.interface)
    assert "leads into the tunnel" in doctor(client)["route"]["message"]


def test_a_wrong_server_key_is_named_by_the_server(pair):
    client, server = pair
    server.start()
    client.configure()
    edit(client, r"^PublicKey = .*", f"PublicKey = {other_key()}")
    run_up(client)
    until_counted(server, "wrong_mac1")
    found = doctor(server)["mac1"]
    assert "wrong server key" in found["cause"] and server.public in found["fix"]
    assert "PublicKey is not the server's" in doctor(client)["handshake"]["cause"]


def test_an_unknown_client_key_is_named_and_can_be_added(pair, simplevpn):
    client, server = pair
    server.configure()
    edit(server, r"^PublicKey = .*", f"PublicKey = {other_key()}")
    run_up(server)
    client.start()
    until_counted(server, "unknown_peer")
    found = doctor(server)["unknown_key"]
    assert found["fix"] == f"simplevpn peer add NAME --public-key {client.public}"


def test_a_wrong_preshared_key_is_named_by_both(pair):
    client, server = pair
    for side in pair:
        side.configure()
        edit(side, r"^(PublicKey = .*)", rf"\1\nPresharedKey = {key()}")
    run_up(server, client)
    until_counted(client, "invalid_handshake")
    assert "PresharedKey differs" in doctor(client)["handshake"]["cause"]
    assert "PresharedKey" in doctor(server)["answers"]["cause"]


def test_blocked_udp_is_the_likeliest_cause_of_silence(pair):
    client, server = pair
    server.host.run("nft", "add table inet block; add chain inet block in "
                    "{ type filter hook input priority 0; }; "
                    "add rule inet block in udp dport 51820 drop")
    server.start()
    client.start()
    wait_until(lambda: client.counters()["handshakes_initiated"], what="an initiation")
    cause = doctor(client)["handshake"]["cause"]
    assert re.search(r"first: UDP to 192\.0\.2\.2:\d+ is blocked", cause)
    assert "blocked" in doctor(server, exit_status=0)["silence"]["cause"]


def test_nobody_at_the_port_is_told_from_silence(pair):
    client, _ = pair
    client.start()
    wait_until(lambda: client.counters()["handshakes_initiated"], what="an initiation")
    assert "the network refuses" in doctor(client)["handshake"]["cause"]


def test_an_old_timestamp_points_at_the_clock(pair):
    """What a client with a clock behind sends cannot be told from what is played again."""
    client, server = pair
    server.start()
    with wire.Capture(client.host, "srv", only_handshakes=True) as capture:
        client.start()
        assert traffic.ping(client.host, server.ipv4, count=1).lost == ()
        initiation = wait_until(lambda: next(
            (one for one in capture.datagrams() if one.kind == wire.INITIATION), None))
    script = ("import socket, sys; "
              "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto("
              f"bytes.fromhex(sys.argv[1]), ('{OUTER[1]}', {server.port}))")
    client.host.run("/usr/bin/python3", "-c", script, initiation.payload.hex())
    until_counted(server, "old_timestamp")
    assert "clock" in doctor(server)["timestamp"]["cause"]


# A program that asks for the time gets that of the day before.
YESTERDAY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec* time) {
  int (*real)(clockid_t, struct timespec*) = dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real(clock, time);
  if (clock == CLOCK_REALTIME) time->tv_sec -= 86400;
  return result;
}
"""


def yesterday(tmp_path):
    """The words before a command that runs it with a clock that is behind."""
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    source, library = tmp_path / "yesterday.c", tmp_path / "yesterday.so"
    source.write_text(YESTERDAY, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    inherited = os.environ.get("ASAN_OPTIONS", "")
    return ("env", f"LD_PRELOAD={library}", f"ASAN_OPTIONS={inherited}:verify_asan_link_order=0")


def test_a_client_whose_clock_was_set_back_is_named(pair, tmp_path):
    client, server = pair
    server.start()
    client.start()
    assert traffic.ping(client.host, server.ipv4, count=1).lost == ()
    done = client.host.run(*yesterday(tmp_path), client.program, "doctor", "wg0", check=False)
    assert done.returncode == 7 and "FAIL clock: the last handshake" in done.stdout
    client.stop()
    client.start(wrapper=yesterday(tmp_path))
    traffic.ping(client.host, server.ipv4, count=1)
    until_counted(server, "old_timestamp")
    assert "the clock of a client is behind" in doctor(server)["timestamp"]["cause"]
    assert "our clock is behind" in doctor(client)["handshake"]["cause"]


def test_allowed_ips_that_lack_the_address_are_named(pair):
    client, server = pair
    server.configure()
    edit(server, r"^AllowedIPs = .*", "AllowedIPs = 10.9.0.77/32")
    run_up(server)
    client.start()
    traffic.ping(client.host, server.ipv4, count=1)
    until_counted(server, "inside_source_not_allowed")
    assert "AllowedIPs" in doctor(server)["allowed_ips"]["cause"]


def test_a_firewall_behind_a_session_is_suspected(pair):
    client, server = pair
    server.start()
    server.host.run("nft", "add table inet wall; add chain inet wall in "
                    "{ type filter hook input priority 0; }; "
                    "add rule inet wall in iifname wg0 drop")
    client.start()
    client.host.run(client.program, "status", "wg0", "--check", "handshake", "--wait=10")
    assert len(traffic.ping(client.host, server.ipv4, count=3, patience=0.2).lost) == 3
    assert "a firewall there" in doctor(client, exit_status=0)["data"]["cause"]
    assert "data" not in doctor(server, exit_status=0)


def test_a_tunnel_that_does_not_run_is_probed(pair):
    client, server = pair
    server.start()
    client.configure()
    assert doctor(client, exit_status=0) == {}
    assert not client.host.exists("/run/wireguard/wg0.sock")
    with client.host.network():
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with taken:
        taken.bind(("", client.port))
        assert str(client.port) in doctor(client)["port"]["message"]
    server.stop()
    assert "handshake" in doctor(client)


def test_what_is_wrong_in_the_file_is_named(pair):
    client, _ = pair
    client.configure()
    client.host.run("chmod", "644", f"/run/{client.interface}.conf")
    assert doctor(client)["file"]["fix"] == f"chmod 600 '/run/{client.interface}.conf'"
    edit(client, r"^\[Peer\]", "[Pear]")
    assert "line 5" in doctor(client)["file"]["message"]


def test_addresses_of_two_peers_are_named_with_both(pair):
    client, _ = pair
    client.configure()
    text = client.host.read("/run/wg0.conf").replace("[Peer]", "[Peer]\n# friendly_name = office")
    address = re.search(r"AllowedIPs = (\S+)/32", text).group(1)
    def with_other(allowed):
        client.host.write("/run/wg0.conf", f"{text}\n[Peer]\n# friendly_name = home\n"
                          f"PublicKey = {other_key()}\nAllowedIPs = {allowed}\n")
        return doctor(client)["allowed_ips"]
    overlap = with_other("10.9.0.0/24")["message"]
    assert overlap == f"{address}/32 of office lies in 10.9.0.0/24 of home"
    found = with_other(f"{address}/32")
    assert found["level"] == "FAIL" and "office" in found["message"] and "home" in found["message"]


def test_only_the_peer_asked_for_is_probed(pair):
    client, server = pair
    server.start()
    client.configure()
    client.host.write("/run/wg0.conf", client.host.read("/run/wg0.conf") + f"""
[Peer]
# friendly_name = nobody
PublicKey = {other_key()}
AllowedIPs = 10.99.0.0/24
Endpoint = {OUTER[1]}:9
""")
    assert "handshake" in doctor(client)
    assert doctor(client, "--peer", server.public, exit_status=0) == {}
    assert "no handshake with nobody" in doctor(client, "--peer", "nobody")["handshake"]["message"]
    done = client.host.run(client.program, "doctor", "/run/wg0.conf", "--peer", "x", check=False)
    assert done.returncode == 10 and "no peer is called x" in done.stderr


def test_an_address_of_a_family_that_is_off_is_named(pair):
    client, _ = pair
    client.configure()
    client.host.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    client.host.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
    assert "disable_ipv6=0" in doctor(client)["ipv6"]["fix"]


def test_without_a_tunnel_there_is_nothing_to_examine(simplevpn, pair):
    client, _ = pair
    assert client.host.run(simplevpn, "doctor", "nosuch", check=False).returncode == 10
