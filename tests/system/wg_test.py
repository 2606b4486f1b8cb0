"""Debian's `wg` on our control socket: everything it can set, round trips, many peers, and clients
that behave badly."""

import concurrent.futures
import contextlib
import os
import re
import socket
import stat
import subprocess
import time

import pytest

import traffic
from names import own_etc
from netns import wait_until
from peers import key
from program import CONFIG, PEER, PRESHARED, PRIVATE, Tunnel, need

SOCKET = "/run/wireguard/wg0.sock"
OTHER = "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA="


@pytest.fixture(name="tunnel")
def fixture_tunnel(host, simplevpn):
    need("wg")
    tunnel = Tunnel(host, simplevpn)
    tunnel.foreground()
    return tunnel


def wg(tunnel, *arguments, check=True, **options):
    return tunnel.host.run("wg", *arguments, check=check, timeout=120, **options)


def dump(tunnel):
    return wg(tunnel, "show", "wg0", "dump").stdout


def peers(tunnel):
    """By public key: preshared key, endpoint, allowed IPs, keepalive."""
    lines = [line.split("\t") for line in dump(tunnel).splitlines()[1:]]
    return {line[0]: (line[1], line[2], set(line[3].split(",")), line[7]) for line in lines}


@contextlib.contextmanager
def client(tunnel):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(f"/proc/{tunnel.host.pid}/root{SOCKET}")
        one.settimeout(30)
        yield one


@pytest.fixture(name="pair")
def fixture_pair(cable, simplevpn):
    """10.9.0.1 and 10.9.0.2, with a session between them."""
    left, right = (Tunnel(host, simplevpn) for host in cable)
    privates = [key(), key()]
    publics = [subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True,
                              check=True).stdout.strip() for private in privates]
    for number, tunnel in enumerate((left, right)):
        tunnel.write(f"[Interface]\nPrivateKey = {privates[number]}\nListenPort = 51820\n"
                     f"Address = 10.9.0.{number + 1}/24\n"
                     f"[Peer]\nPublicKey = {publics[1 - number]}\n"
                     f"AllowedIPs = 10.9.0.{2 - number}/32\n"
                     f"Endpoint = 192.0.2.{2 - number}:51820\n")
        tunnel.foreground()
    assert traffic.answers(left.host, "10.9.0.2")
    return left, right


def test_each_option_of_set(tunnel):
    tunnel.host.write("/run/private", "cGV0ZXIgcGFuIGlzIG5vdCBhIHNlY3JldCBrZXkgISE=\n")
    tunnel.host.write("/run/preshared", PRESHARED)
    wg(tunnel, "set", "wg0", "listen-port", 4000, "fwmark", "0x21", "private-key", "/run/private")
    private, _, port, mark = dump(tunnel).splitlines()[0].split("\t")
    assert (private, port, mark) == ("cGV0ZXIgcGFuIGlzIG5vdCBhIHNlY3JldCBrZXkgISE=", "4000", "0x21")
    assert "4000" in tunnel.host.run("ss", "-uln").stdout
    wg(tunnel, "set", "wg0", "fwmark", "0", "peer", OTHER, "preshared-key", "/run/preshared",
       "endpoint", "[2001:db8::9]:7", "persistent-keepalive", 5,
       "allowed-ips", "10.5.0.0/16,fd05::/64")
    assert peers(tunnel)[OTHER] == (PRESHARED, "[2001:db8::9]:7", {"10.5.0.0/16", "fd05::/64"}, "5")
    wg(tunnel, "set", "wg0", "peer", OTHER, "preshared-key", "/dev/null", "persistent-keepalive",
       "off", "allowed-ips", "10.6.0.0/16")
    assert peers(tunnel)[OTHER] == ("(none)", "[2001:db8::9]:7", {"10.6.0.0/16"}, "off")
    assert dump(tunnel).splitlines()[0].endswith("\toff")
    wg(tunnel, "set", "wg0", "peer", OTHER, "remove")
    assert OTHER not in peers(tunnel) and PEER in peers(tunnel)


def test_a_port_that_is_taken_leaves_the_old_one(tunnel):
    with tunnel.host.network():
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with other:
        other.bind(("0.0.0.0", 4001))
        done = wg(tunnel, "set", "wg0", "listen-port", 4001, check=False)
    assert done.returncode != 0 and "Address already in use" in done.stderr
    assert dump(tunnel).splitlines()[0].split("\t")[2] == "51820"


def test_what_is_shown_can_be_set_again(tunnel):
    wg(tunnel, "set", "wg0", "fwmark", 7, "peer", OTHER, "endpoint", "192.0.2.9:7", "allowed-ips",
       "10.6.0.0/16,fd06::/64")
    before = dump(tunnel)
    tunnel.host.write("/run/shown", wg(tunnel, "showconf", "wg0").stdout)
    for command in ("setconf", "syncconf"):
        wg(tunnel, "set", "wg0", "fwmark", 8, "listen-port", 4002, "peer", PEER, "remove",
           "peer", OTHER, "allowed-ips", "10.7.0.0/16")
        assert dump(tunnel) != before
        wg(tunnel, command, "wg0", "/run/shown")
        assert sorted(dump(tunnel).splitlines()) == sorted(before.splitlines()), command


def test_configurations_replace_add_and_synchronise(tunnel):
    one = f"[Interface]\nPrivateKey = {PRIVATE}\nListenPort = 51820\n"
    more = f"[Peer]\nPublicKey = {OTHER}\nAllowedIPs = 10.6.0.0/16\n"
    tunnel.host.write("/run/one", one)
    tunnel.host.write("/run/more", more)
    tunnel.host.write("/run/all", one + more)
    wg(tunnel, "addconf", "wg0", "/run/more")
    assert set(peers(tunnel)) == {PEER, OTHER}
    assert tunnel.status()["peers"][0]["name"] == "laptop", "names of others stay"
    wg(tunnel, "syncconf", "wg0", "/run/all")
    assert set(peers(tunnel)) == {OTHER}
    wg(tunnel, "setconf", "wg0", "/run/one")
    assert not peers(tunnel)


def test_two_clients_at_once(tunnel):
    with client(tunnel) as slow, client(tunnel) as other:
        slow.sendall(b"set=1\nfwmark=5\n")
        other.sendall(b"get=1\n\n")
        assert b"errno=0\n\n" in other.recv(65536)
        wg(tunnel, "set", "wg0", "fwmark", 6)
        slow.sendall(b"\n")
        assert slow.recv(100) == b"errno=0\n\n"
    assert dump(tunnel).splitlines()[0].endswith("\t0x5")


def test_ten_thousand_peers(tunnel):
    lines = [f"[Interface]\nPrivateKey = {PRIVATE}\nListenPort = 51820\n"]
    for i in range(10000):
        public = f"{i:05d}" + "A" * 37 + "8="
        lines.append(f"[Peer]\nPublicKey = {public}\nAllowedIPs = 10.{i >> 8}.{i & 255}.0/24\n")
    tunnel.host.write("/run/many", "".join(lines))
    start = time.monotonic()
    wg(tunnel, "setconf", "wg0", "/run/many")
    set_at = time.monotonic()
    shown = peers(tunnel)
    shown_at = time.monotonic()
    print(f"10,000 peers: set in {set_at - start:.2f} s, shown in {shown_at - set_at:.2f} s")
    assert len(shown) == 10000
    assert all(len(allowed) == 1 for _, _, allowed, _ in shown.values())
    tunnel.write(CONFIG)
    tunnel.call("reload", "/run/wg0.conf")
    assert set(peers(tunnel)) == {PEER}


# ---- clients that behave badly ----

def resources(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        memory = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    return len(os.listdir(f"/proc/{pid}/fd")), memory


def daemon(tunnel):
    return tunnel.host.pids("simplevpn")[0]


def test_nobody_else_may_use_the_socket(tunnel):
    info = os.stat(f"/proc/{tunnel.host.pid}/root{SOCKET}")
    assert stat.S_IMODE(info.st_mode) == 0o600 and info.st_uid == 0


def test_an_endless_line_is_cut_off(tunnel):
    before = resources(daemon(tunnel))
    sent = 0
    with client(tunnel) as one, contextlib.suppress(ConnectionError):
        one.sendall(b"set=1\n")
        while sent < 1 << 30:
            sent += one.send(b"x" * 65536)
    assert sent < 1 << 24
    wait_until(lambda: resources(daemon(tunnel))[0] == before[0], what="descriptors as before")
    assert resources(daemon(tunnel))[1] < before[1] + 8192


def test_an_endless_request_takes_no_memory(tunnel):
    before = resources(daemon(tunnel))
    with client(tunnel) as one:
        one.sendall(b"set=1\npublic_key=" + b"ab" * 32 + b"\n")
        for _ in range(200):
            one.sendall(b"replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\n" * 1000)
        assert dump(tunnel)
        assert resources(daemon(tunnel))[1] < before[1] + 8192
        one.sendall(b"allowed_ip=10.0.0.0/99\n" + b"allowed_ip=10.0.0.0/8\n" * 1000 + b"\n")
        assert one.recv(100) == b"errno=-22\n\n"


def test_thousands_of_connections(tunnel):
    before = resources(daemon(tunnel))
    kept = []
    for _ in range(3000):
        with contextlib.suppress(OSError):
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            kept.append(one)
            one.connect(f"/proc/{tunnel.host.pid}/root{SOCKET}")
            if len(kept) % 3 == 0:
                one.send(b"set=1\nfwm")
        if len(kept) >= 500:
            kept.pop(0).close()
    assert resources(daemon(tunnel))[0] < before[0] + 32
    for one in kept:
        one.close()
    assert dump(tunnel)
    wait_until(lambda: resources(daemon(tunnel))[0] == before[0], what="descriptors as before")


def test_packets_go_on_while_clients_misbehave(pair):
    left, _ = pair
    assert traffic.answers(left.host, "10.9.0.2")
    with concurrent.futures.ThreadPoolExecutor() as pool, client(left) as lazy, \
            client(left) as silent:
        lazy.sendall(b"get=1\n\n" * 500)
        silent.sendall(b"set=1\nhalf a li")
        pings = pool.submit(traffic.ping, left.host, "10.9.0.2", count=200)
        while not pings.done():
            with contextlib.suppress(ConnectionError), client(left) as one:
                one.sendall(b"set=1\n" + b"y" * 100000)
        assert pings.result().lost == ()
    assert len(peers(left)) == 1


def test_a_reload_breaks_no_connection(pair):
    left, right = pair
    text = left.host.read("/run/wg0.conf")
    copy = traffic.Copy(left.host, right.host, "10.9.0.2", 1 << 40,
                        bytes_per_second=8 << 20).start()
    wait_until(lambda: copy.copied > 0, what="copy under way")
    before = left.status()["counters"]["handshakes_completed"]
    for i in range(20):
        left.write(text.replace("[Peer]", "[Peer]\n# friendly_name = other") +
                   f"PersistentKeepalive = {i + 1}\n[Peer]\nPublicKey = {OTHER}\n"
                   f"AllowedIPs = 10.6.{i}.0/24\n")
        left.call("reload", "/run/wg0.conf")
        assert peers(left)[OTHER][2] == {f"10.6.{i}.0/24"}
    left.write(text)
    left.call("reload", "/run/wg0.conf")
    reloaded = copy.copied
    wait_until(lambda: copy.copied > reloaded, what="copy goes on")
    result = copy.finish()
    assert result.received == result.sent
    assert len(peers(left)) == 1
    assert left.status()["counters"]["handshakes_completed"] == before


def test_a_reload_that_is_refused_says_why(tunnel):
    with tunnel.host.network():
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with other:
        other.bind(("0.0.0.0", 4001))
        tunnel.write(CONFIG.replace("51820", "4001"))
        done = tunnel.call("reload", "/run/wg0.conf", exit_status=1)
    assert "ListenPort" in done.stderr
    assert dump(tunnel).splitlines()[0].split("\t")[2] == "51820"
    tunnel.write("[Interface]\nPrivateKey = short\n")
    tunnel.call("reload", "/run/wg0.conf", exit_status=2)
    assert PEER in peers(tunnel)


def test_a_bare_name_reloads_the_file_that_the_tunnel_was_started_from(tunnel):
    own_etc(tunnel.host, "")
    tunnel.host.run("mkdir", "-p", "/etc/wireguard")
    tunnel.host.write("/etc/wireguard/wg0.conf", CONFIG.replace(PEER, OTHER))
    tunnel.write(CONFIG.replace("10.9.0.2/32", "10.9.0.7/32"))
    done = tunnel.call("reload", "wg0")
    assert "/run/wg0.conf" in done.stderr
    assert set(peers(tunnel)) == {PEER} and "10.9.0.7/32" in peers(tunnel)[PEER][2]
