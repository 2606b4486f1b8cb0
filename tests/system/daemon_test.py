"""One tunnel's life on one host: up, status, down, and every way in which it can end."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

import crash
import schema
import traffic
from netns import wait_until
from program import CONFIG, END_S, PEER, PRESHARED, PRIVATE, Tunnel, need, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATUS_SCHEMA = json.loads((ROOT / "docs" / "schema" / "status.json").read_text(encoding="utf-8"))


@pytest.fixture
def tunnel(host, simplevpn):
    return Tunnel(host, simplevpn)


def test_up_status_down(tunnel, host):
    before = host.ip("route", "show", "table", "all"), host.ip("-6", "route"), host.ip("addr")
    done = tunnel.up()
    assert "wg0 is up" in done.stderr and done.stdout == ""
    addresses = host.ip("addr", "show", "dev", "wg0")
    assert "10.9.0.1/24" in addresses and "fd09::1/64" in addresses and "mtu 1420" in addresses
    assert "10.77.0.0/16 dev wg0" in host.ip("route")
    table = tunnel.call("status").stdout
    assert re.search(r"^wg0  up \d+s   udp/51820   mtu 1420   .*10\.9\.0\.1/24.*"
                     r"   0 of 1 peers live$", table, re.M)
    assert re.search(r"^  PEER +ENDPOINT +HANDSHAKE +RX +TX +ALLOWED IPS$", table, re.M)
    assert re.search(r"^○ laptop +– +never +0 B +0 B +10\..*hint: .*51820", table, re.M)
    tunnel.call("down", "wg0")
    tunnel.assert_gone()
    after = host.ip("route", "show", "table", "all"), host.ip("-6", "route"), host.ip("addr")
    assert before == after
    tunnel.call("status", "wg0", exit_status=8)
    tunnel.call("down", "wg0", exit_status=8)


def test_status_and_down_take_the_file_too_and_refuse_what_is_no_name(tunnel):
    tunnel.up()
    assert tunnel.call("status", "/run/wg0.conf").stdout.startswith("wg0 ")
    tunnel.call("down", "/run/wg0.conf")
    for command in ("status", "down"):
        tunnel.call(command, "../x y", exit_status=2)


def test_a_daemon_that_does_not_answer_is_a_timeout(tunnel, host):
    tunnel.up()
    for process in ("simplevpn", "simplevpn-pkt"):
        host.kill(process, signal.SIGSTOP)
    tunnel.call("status", "wg0", exit_status=3)
    tunnel.call("down", "wg0", exit_status=5)
    for process in ("simplevpn", "simplevpn-pkt"):
        host.kill(process, signal.SIGCONT)
    wait_until(lambda: not host.pids("simplevpn"), what="daemon ended")
    tunnel.assert_gone()


def test_status_in_json_follows_its_schema_and_has_no_secrets(tunnel):
    empty = json.loads(tunnel.call("status", "--json").stdout)
    schema.check(empty, STATUS_SCHEMA)
    assert empty["tunnels"] == []
    tunnel.up()
    text = tunnel.call("status", "--json").stdout
    schema.check(json.loads(text), STATUS_SCHEMA)
    status = json.loads(text)["tunnels"][0]
    assert status["listen_port"] == 51820 and status["mtu"] == 1420 and status["pid"] > 0
    assert status["public_key"] == run(tunnel.program, "pubkey", input=PRIVATE).stdout.strip()
    peer = status["peers"][0]
    assert (peer["name"], peer["public_key"]) == ("laptop", PEER)
    assert peer["latest_handshake"] is None and peer["endpoint"] is None
    assert peer["persistent_keepalive_s"] == 25 and peer["has_preshared_key"] is True
    assert PRIVATE not in text and PRESHARED not in text


def test_wg_show_sees_the_tunnel(tunnel, host):
    need("wg")
    tunnel.up()
    assert host.run("wg", "show", "interfaces").stdout.split() == ["wg0"]
    dump = [line.split("\t") for line in host.run("wg", "show", "wg0", "dump").stdout.splitlines()]
    assert dump[0][0] == PRIVATE and dump[0][2:] == ["51820", "off"]
    assert dump[1][:3] == [PEER, PRESHARED, "(none)"] and dump[1][4:] == ["0", "0", "0", "25"]
    assert set(dump[1][3].split(",")) == {"10.9.0.2/32", "10.77.0.0/16", "fd09::2/128"}


def test_a_second_daemon_of_the_same_name_is_refused(tunnel):
    tunnel.up()
    done = tunnel.up(exit_status=4)
    assert "simplevpn down wg0" in done.stderr
    assert tunnel.status()["name"] == "wg0"


TAKE_PORT = """import socket, sys
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind(("0.0.0.0", 51820))
print("bound", flush=True)
sys.stdin.read()
"""


def test_a_port_in_use_is_named_and_nothing_is_left(tunnel, host):
    with host.popen("/usr/bin/python3", "-c", TAKE_PORT, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == "bound\n"
        done = tunnel.up(exit_status=4)
        assert "51820" in done.stderr and "ListenPort" in done.stderr
        tunnel.assert_gone()
        other.stdin.close()
    tunnel.up()


def test_settings_that_fail_are_rolled_back(tunnel, host):
    tunnel.host.ip("route", "add", "10.77.0.0/16", "dev", "lo")
    done = tunnel.up(exit_status=4)
    assert "10.77.0.0/16" in done.stderr
    assert not tunnel.link_exists() and not host.exists("/run/wireguard/wg0.sock")
    assert "10.77.0.0/16 dev lo" in host.ip("route")


def test_signals_stop_it_in_order(tunnel):
    for sig, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        process = tunnel.foreground()
        process.send_signal(sig)
        assert process.wait(timeout=END_S) == status, process.stderr.read()
        tunnel.assert_gone()


def test_hangup_reads_the_file_anew(tunnel):
    process = tunnel.foreground()
    tunnel.write(CONFIG.replace("10.9.0.2/32", "10.9.0.7/32").replace("laptop", "phone"))
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: _line_with(process, "event=reloaded"), what="log line")
    peer = tunnel.status()["peers"][0]
    assert peer["name"] == "phone" and "10.9.0.7/32" in peer["allowed_ips"]
    tunnel.write(CONFIG.replace("[Peer]", "[Pear]"))
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: _line_with(process, "event=not_reloaded"), what="log line")
    assert tunnel.status()["peers"][0]["name"] == "phone", "a wrong file changes nothing"


def _line_with(process, word):
    line = process.line(process.stderr)
    return line if word in line else None


def test_a_flood_of_log_lines_is_limited_and_counted(tunnel):
    process = tunnel.foreground()
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()
    start = time.monotonic()

    def counted():
        process.send_signal(signal.SIGHUP)
        return any("suppressed=" in line for line in lines)

    wait_until(counted, what="a line that counts suppressed ones")
    process.terminate()
    process.wait(timeout=5)
    reader.join()
    assert len(lines) < 25 + 10 * (time.monotonic() - start)


def test_a_killed_daemon_can_be_started_again(tunnel, host):
    tunnel.up()
    assert host.kill("simplevpn", signal.SIGKILL) == 1
    wait_until(lambda: not host.pids("simplevpn") and not tunnel.link_exists(), what="killed")
    assert host.exists("/run/wireguard/wg0.sock")
    tunnel.call("status", "wg0", exit_status=8)
    tunnel.up()
    assert tunnel.status()["name"] == "wg0"


def test_too_few_descriptors_is_a_clear_error_until_they_suffice(tunnel, host):
    refused = 0
    for limit in range(4, 64):
        done = host.run("prlimit", f"--nofile={limit}", tunnel.program, "up", "/run/wg0.conf",
                        check=False)
        if done.returncode == 0:
            break
        refused += 1
        assert done.returncode == 4 and "cannot" in done.stderr, f"{limit}: {done.stderr}"
        tunnel.assert_gone()
    assert 0 < refused and done.returncode == 0
    tunnel.call("down", "wg0")


def test_without_privileges_the_fix_is_printed(tunnel, host):
    need("setpriv")
    host.run("chmod", "644", "/run/wg0.conf")
    done = host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tunnel.program,
                    "up", "/run/wg0.conf", check=False)
    assert done.returncode == 6
    assert f"sudo {tunnel.program} up /run/wg0.conf" in done.stderr
    tunnel.assert_gone()


def test_the_printed_fix_names_the_alias_as_typed(tunnel, host):
    need("setpriv")
    host.run("chmod", "644", "/run/wg0.conf")
    alias = f"{tunnel.program}-client"
    done = host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", alias,
                    "/run/wg0.conf", check=False)
    assert done.returncode == 6 and done.stderr.endswith(f"sudo {alias} /run/wg0.conf\n")


def test_an_unreadable_file_is_a_matter_of_privileges(tunnel, host):
    need("setpriv")
    done = host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tunnel.program,
                    "up", "--json", "/run/wg0.conf", check=False)
    assert done.returncode == 6
    assert json.loads(done.stderr)["error"]["code"] == "E_PERMISSION"


def test_root_without_the_capability_is_told_what_a_container_needs(tunnel, host):
    need("setpriv")
    done = host.run("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
                    tunnel.program, "up", "/run/wg0.conf", check=False)
    assert done.returncode == 6 and "--cap-add=NET_ADMIN" in done.stderr
    tunnel.assert_gone()


def test_a_file_that_root_cannot_write_is_named_and_no_capability(tunnel, host):
    host.run("mkdir", "/run/fixed")
    host.run("cp", "/run/wg0.conf", "/run/fixed/wg0.conf")
    host.run("mount", "--bind", "-o", "ro", "/run/fixed", "/run/fixed")
    done = tunnel.call("peer", "add", "phone", "--endpoint", "192.0.2.1:51820", "-c",
                       "/run/fixed/wg0.conf", exit_status=1)
    assert "/run/fixed/wg0.conf" in done.stderr and "read-only file system" in done.stderr
    assert done.stdout == "", "no key of a client that was not added"
    assert "CAP_NET_ADMIN" not in done.stderr


@pytest.mark.parametrize("folder", ["/run/wireguard", "/var/lib"])
def test_a_folder_that_root_cannot_write_is_named_and_no_capability(tunnel, host, folder):
    host.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder)
    done = tunnel.up(exit_status=4)
    assert folder in done.stderr and "CAP_NET_ADMIN" not in done.stderr
    host.run("umount", folder)
    tunnel.assert_gone()


def over_ssh(host, server, *command, check=True):
    """Below a process of that name, and without SSH_CONNECTION, as sudo leaves it."""
    host.run("cp", "/bin/sh", f"/run/{server}")
    return host.run("env", "-u", "SSH_CONNECTION", f"/run/{server}", "-c", '"$@"; exit $?', "sh",
                    *command, check=check)


@pytest.mark.parametrize("server", ["sshd", "sshd-session", "dropbear"])
def test_the_kill_switch_asks_before_it_cuts_an_ssh_session(tunnel, host, server):
    need("nft")
    before = host.run("nft", "list", "ruleset").stdout
    for command in (["client"], ["up"]):
        done = over_ssh(host, server, tunnel.program, *command, "--kill-switch", "--json",
                        "/run/wg0.conf", check=False)
        assert done.returncode == 2 and json.loads(done.stderr)["error"]["code"] == "E_SSH"
        tunnel.assert_gone()
    plan = over_ssh(host, server, tunnel.program, "up", "--kill-switch", "--dry-run",
                    "/run/wg0.conf").stdout
    assert "nft" in plan and host.run("nft", "list", "ruleset").stdout == before
    over_ssh(host, server, tunnel.program, "up", "--kill-switch", "--yes", "/run/wg0.conf")
    tunnel.call("down", "wg0")


def test_the_kill_switch_asks_nobody_at_the_machine_itself(tunnel, host):
    need("nft")
    over_ssh(host, "login", tunnel.program, "up", "--kill-switch", "/run/wg0.conf")
    tunnel.call("down", "wg0")


def test_logs_are_json_lines_without_keys(tunnel):
    process = tunnel.foreground("--log-format", "json", "-v")
    process.terminate()
    assert process.wait(timeout=5) == 0
    text = process.stderr.read()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines][-1] == "down" and lines[0]["tunnel"] == "wg0"
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    assert PRIVATE not in text and PRESHARED not in text


def test_the_process_leaves_no_core_and_no_keys_behind(tunnel, host):
    tunnel.up()
    (pid,) = host.pids("simplevpn")
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
    for part in ("cmdline", "environ"):
        assert PRIVATE.encode() not in pathlib.Path(f"/proc/{pid}/{part}").read_bytes()


def test_an_endpoint_that_has_no_address_yet_does_not_stop_it(tunnel):
    tunnel.write(CONFIG.replace("[Peer]", "[Peer]\nEndpoint = nowhere.invalid:51820"))
    tunnel.up()
    assert tunnel.status()["peers"][0]["endpoint"] is None


def test_an_endpoint_by_name_is_found(tunnel, host):
    host.replace_file("/etc/hosts", "192.0.2.9 server.test\n")
    tunnel.write(CONFIG.replace("[Peer]", "[Peer]\nEndpoint = server.test:4500"))
    tunnel.up()
    wait_until(lambda: tunnel.status()["peers"][0]["endpoint"] == "192.0.2.9:4500",
               what="endpoint resolved")


def test_a_bare_name_is_a_file_in_etc_wireguard(tunnel, host):
    if not os.path.isdir("/etc/wireguard"):
        pytest.skip("/etc/wireguard does not exist")
    host.run("mount", "-t", "tmpfs", "tmpfs", "/etc/wireguard")
    host.run("cp", "/run/wg0.conf", "/etc/wireguard/wg7.conf")
    tunnel.call("up", "wg7")
    assert host.run("ip", "link", "show", "dev", "wg7").returncode == 0
    tunnel.call("down", "wg7")


@pytest.fixture
def pair(lab, simplevpn, tmp_path):
    """A server and a client from one `init`, both up."""
    server, client = lab.host("server"), lab.host("client")
    lab.veth(server, "192.0.2.1/24", client, "192.0.2.2/24")
    run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "--net", "10.9.0.0/24",
        "--net", "fd09::/64", "--client", "client.conf", cwd=tmp_path)
    for host in (server, client):
        host.run(simplevpn, "up", tmp_path / f"{host.name}.conf")
    return server, client


def peer_of(host, program):
    document = json.loads(host.run(program, "status", "--json").stdout)
    schema.check(document, STATUS_SCHEMA)
    return document["tunnels"][0]["peers"][0]


def test_a_pair_from_init_works_at_once(pair, simplevpn):
    server, client = pair
    for address in ("10.9.0.1", "fd09::1"):
        assert traffic.ping(client, address, count=3).lost == ()
    peer = peer_of(server, simplevpn)
    assert peer["live"] and peer["endpoint"].startswith("192.0.2.2:") and peer["rx_bytes"] > 0
    assert "● client" in server.run(simplevpn, "status").stdout
    stored = "/var/lib/simplevpn/server.endpoints"
    wait_until(lambda: server.exists(stored), what="endpoint kept")
    assert "192.0.2.2:" in server.read(stored)
    assert server.run("stat", "-c", "%a", stored).stdout == "600\n"
    for host in pair:
        host.run(simplevpn, "down", host.name)
        assert not host.run("ls", "-A", "/var/lib/simplevpn").stdout


def test_a_killed_server_finds_its_client_again_by_itself(pair, simplevpn, tmp_path):
    server, _ = pair
    wait_until(lambda: peer_of(server, simplevpn)["live"], what="first handshake")
    wait_until(lambda: server.exists("/var/lib/simplevpn/server.endpoints"), what="endpoint kept")
    crash.kill(server)
    server.run(simplevpn, "up", tmp_path / "server.conf")
    wait_until(lambda: peer_of(server, simplevpn)["live"], timeout=3, what="session again")


def test_status_and_down_know_other_implementations(host, simplevpn):
    need("wireguard-go")
    host.run("env", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1", "wireguard-go", "wg5")
    host.write("/run/key", PRIVATE)
    host.run("wg", "set", "wg5", "private-key", "/run/key", "peer", PEER, "allowed-ips",
             "10.9.0.2/32", "endpoint", "192.0.2.7:7", "persistent-keepalive", "25")
    document = json.loads(host.run(simplevpn, "status", "wg5", "--json").stdout)
    schema.check(document, STATUS_SCHEMA)
    assert document["tunnels"][0]["peers"][0]["endpoint"] == "192.0.2.7:7"
    assert document["tunnels"][0]["counters"] is None
    host.run(simplevpn, "down", "wg5")
    wait_until(lambda: not host.pids("wireguard-go"), what="daemon ended")
