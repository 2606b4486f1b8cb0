"""`simplevpn tun`: a bare interface for programs that were written for wireguard-go."""

import json
import os
import signal
import subprocess

import pytest

import checkup
import traffic
from netns import wait_until
from peers import PORT, WireguardGo, key
from program import need

SOCKET = "/run/wireguard/wg0.sock"


@pytest.fixture(name="program")
def fixture_program(simplevpn):
    path = os.path.join(os.path.dirname(simplevpn), "simplevpn-tun")
    if not os.path.exists(path):
        pytest.skip(f"{path} is not built")
    return path


def assert_gone(host):
    wait_until(lambda: not host.pids("simplevpn-tun"), what="daemon ended")
    assert not host.exists(SOCKET) and not host.has_interface("wg0")


def test_it_listens_when_the_command_returns(host, program):
    need("wg")
    host.run(program, "wg0")
    assert host.run("wg", "show", "interfaces").stdout == "wg0\n"
    assert host.has_interface("wg0")
    done = host.run(program, "wg0", check=False)
    assert done.returncode == 4 and "wg0" in done.stderr
    host.kill("simplevpn-tun")
    assert_gone(host)


@pytest.mark.parametrize("end", [("rm", SOCKET), ("ip", "link", "del", "wg0")])
def test_it_ends_with_its_socket_or_its_interface(host, program, end):
    host.run(program, "wg0")
    host.run(*end)
    assert_gone(host)


@pytest.mark.parametrize("name", ["", "..", "a/b", "sixteen-letters-", "wg 0", "%d"])
def test_a_bad_name_is_refused(host, program, name):
    done = host.run(program, name, check=False)
    assert done.returncode == 2 and not host.exists("/run/wireguard/.sock")
    assert not host.pids("simplevpn-tun")


def test_the_foreground_by_flag_and_by_environment(host, simplevpn, program):
    for command in ([simplevpn, "tun", "-f", "wg0"],
                    ["env", "WG_PROCESS_FOREGROUND=1", "LOG_LEVEL=verbose", program, "wg0"]):
        process = host.popen(*command, stderr=subprocess.PIPE)
        wait_until(lambda: host.exists(SOCKET), what="socket")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        assert ("event=up" in process.stderr.read()) == (command[0] == "env")
        assert not host.exists(SOCKET)


def test_it_logs_as_told(host, simplevpn):
    process = host.popen(simplevpn, "tun", "-f", "-v", "--log-format", "json", "wg0",
                         stderr=subprocess.PIPE)
    wait_until(lambda: host.exists(SOCKET), what="socket")
    process.send_signal(signal.SIGTERM)
    lines = [json.loads(line) for line in process.communicate(timeout=5)[1].splitlines()]
    assert {"up", "down"} <= {line["event"] for line in lines}


GIVEN = """
import fcntl, os, socket, struct, sys
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"wg0", 0x1001))
os.umask(0o077)
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/wireguard/wg0.new")  # `wg` removes a .sock that does not listen
listener.listen(8)
os.rename("/run/wireguard/wg0.new", "/run/wireguard/wg0.sock")
for handle in (tun, listener.fileno()):
    os.set_inheritable(handle, True)
environment = dict(os.environ, WG_TUN_FD=str(tun), WG_UAPI_FD=str(listener.fileno()))
os.execve(sys.argv[1], [sys.argv[1], "-f", "wg0"], environment)
"""


def test_descriptors_that_somebody_else_opened(host, program):
    need("wg")
    process = host.popen("/usr/bin/python3", "-c", GIVEN, program, stderr=subprocess.PIPE)
    wait_until(lambda: "wg0" in host.run("wg", "show", "interfaces", check=False).stdout,
               what="wg sees it")
    host.run("wg", "set", "wg0", "listen-port", 4567)
    assert "4567" in host.run("wg", "show", "wg0", "dump").stdout
    host.run("rm", SOCKET)
    assert process.wait(timeout=5) == 0, process.stderr.read()


def test_wg_quick_brings_it_up_against_wireguard_go(cable, program):
    need("wg-quick")
    left, right = cable
    if left.run("ip", "link", "add", "probe0", "type", "wireguard", check=False).returncode == 0:
        left.ip("link", "del", "probe0")
        pytest.skip("wg-quick uses the kernel's implementation here")
    theirs = WireguardGo(right)
    private = key()
    public = subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True,
                            check=True).stdout.strip()
    theirs.start()
    theirs.set("peer", public, "allowed-ips", "10.9.0.254/32,fd09::fe/128")
    left.write("/run/wg0.conf", f"""[Interface]
PrivateKey = {private}
Address = 10.9.0.254/24, fd09::fe/64
[Peer]
PublicKey = {theirs.public}
Endpoint = 192.0.2.2:{PORT}
AllowedIPs = 10.9.0.0/24, fd09::/64
""")
    left.run("env", f"WG_QUICK_USERSPACE_IMPLEMENTATION={program}", "wg-quick", "up",
             "/run/wg0.conf")
    assert traffic.ping(left, theirs.ipv4, count=20).lost == ()
    assert traffic.answers(left, theirs.ipv6)
    left.run("wg-quick", "down", "/run/wg0.conf")
    assert_gone(left)


def test_doctor_warns_when_others_led_everything_into_it(host, simplevpn, program):
    host.run(program, "wg0")
    host.write("/run/key", key())
    host.run("wg", "set", "wg0", "private-key", "/run/key", "peer", key(), "endpoint",
             "192.0.2.2:9", "allowed-ips", "0.0.0.0/0")
    host.ip("address", "add", "10.9.0.254/24", "dev", "wg0")
    host.ip("link", "set", "wg0", "up")
    warned = {"scheme", "kill_switch"}
    assert warned.isdisjoint(checkup.complaints(host, simplevpn, "wg0"))
    host.ip("route", "add", "default", "dev", "wg0")
    assert warned <= set(checkup.complaints(host, simplevpn, "wg0"))
