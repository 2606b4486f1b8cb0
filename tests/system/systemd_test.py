"""The units, without systemd as the first process: what systemd-analyze says of them, what the
daemon tells it, and whether the daemon lives with the privileges that they leave."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

import crash
import machine
import traffic
from netns import wait_until
from peers import Simplevpn, WireguardGo, join
from program import CONFIG, Tunnel, need

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "examples" / "simplevpn" / "systemd"
UNITS = ("simplevpn@.service", "simplevpn-wait@.service", "simplevpn-cleanup.service")

MADE = ("simplevpn-server@.service", "simplevpn-client@.service")  # from the first, by CMake


@pytest.fixture
def units(simplevpn, tmp_path):
    """Copies that start the program under test."""
    need("systemd-analyze")
    links = tmp_path / "bin"
    links.mkdir()
    (links / "simplevpn").symlink_to(simplevpn)
    for unit in UNITS:
        text = (SOURCES / f"{unit}.in").read_text(encoding="ascii")
        (tmp_path / unit).write_text(text.replace("@BINDIR@", str(links)), encoding="ascii")
    built = pathlib.Path(simplevpn).parents[1] / "examples" / "simplevpn" / "systemd"
    for unit in MADE:
        text = re.sub(r"=/\S+/simplevpn ", f"={links}/simplevpn ", (built / unit).read_text())
        (tmp_path / unit).write_text(text, encoding="ascii")
    return tmp_path


def analyze(units, *arguments):
    # The folder's own units, then systemd's.
    path = f"{units}:/lib/systemd/system:/usr/lib/systemd/system"
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": path, "LC_ALL": "C"})


def instance(unit):
    return unit.replace("@.", "@wg0.")


@pytest.mark.parametrize("unit, command", [(MADE[0], "server"), (MADE[1], "client")])
def test_a_server_and_a_client_are_the_same_but_for_the_command(units, unit, command):
    lines = (units / unit).read_text().splitlines()
    plain = (units / UNITS[0]).read_text().splitlines()
    assert f"ExecStart={units}/bin/simplevpn {command} $OPTIONS %i" in lines
    assert sum(one != other for one, other in zip(lines, plain)) == 4 and len(lines) == len(plain)


@pytest.mark.parametrize("unit", UNITS + MADE)
def test_systemd_understands_every_line(units, unit):
    (units / instance(unit)).write_text((units / unit).read_text(), encoding="ascii")
    done = analyze(units, "verify", "--man=no", str(units / instance(unit)))
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_systemd_would_say_what_it_does_not_understand(units):
    """verify ends with 0 whatever it finds: the check above must look at standard error."""
    text = (units / UNITS[0]).read_text(encoding="ascii")
    wrong = units / "wrong.service"
    wrong.write_text(text.replace("NoNewPrivileges", "NoPrivileges"), encoding="ascii")
    assert "NoPrivileges" in analyze(units, "verify", "--man=no", str(wrong)).stderr


@pytest.mark.parametrize("unit, most", [(UNITS[0], 3.2), (UNITS[1], 2.3), (UNITS[2], 2.9)])
def test_the_sandbox_is_tight(units, unit, most):
    done = analyze(units, "security", "--offline=true", "--no-pager", str(units / unit))
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level.group(1)) <= most, done.stdout


def test_installed_units_name_the_installed_program():
    for unit in UNITS:
        text = (SOURCES / f"{unit}.in").read_text(encoding="ascii")
        starts = re.findall(r"^Exec\w+=(\S+)", text, re.M)
        assert set(starts) <= {"@BINDIR@/simplevpn", "/bin/kill"} and starts


# ---- what the daemon tells ----

class Manager:
    """The end of NOTIFY_SOCKET that systemd has."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(10)

    def next(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def assert_silent(self):
        self.socket.settimeout(0.01)
        with pytest.raises(TimeoutError):
            self.next()
        self.socket.settimeout(10)


@pytest.fixture
def manager(host):
    made = Manager(f"/proc/{host.pid}/root/run/notify")
    with made.socket:
        yield made


def test_the_manager_is_told(host, simplevpn, manager):
    tunnel = Tunnel(host, simplevpn)
    process = host.popen("env", "NOTIFY_SOCKET=/run/notify", simplevpn, "up", "-f", "/run/wg0.conf",
                         stderr=subprocess.DEVNULL)
    ready = manager.next()
    assert ready["READY"] == "1" and "wg0" in ready["STATUS"]
    assert tunnel.status()["name"] == "wg0", "ready means that it works"
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    process.send_signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) <= before + 10_000_000
    assert manager.next() == {"READY": "1"}
    process.send_signal(signal.SIGTERM)
    assert "STOPPING" in manager.next()
    assert process.wait(timeout=5) == 0


@pytest.mark.parametrize("flags", [[], ["-f"]])
def test_ready_is_said_when_post_up_has_run(host, simplevpn, manager, flags):
    """Also in the background: whoever waits there waits for the same."""
    hook = "PostUp = while [ ! -e /run/go ]; do read -t 0.05 <> <(:); done; touch /run/gone\n[Peer]"
    Tunnel(host, simplevpn).write(CONFIG.replace("[Peer]", hook))
    process = host.popen("env", "NOTIFY_SOCKET=/run/notify", simplevpn, "up", *flags,
                         "/run/wg0.conf", stderr=subprocess.DEVNULL)
    wait_until(lambda: host.pids("bash"), what="PostUp runs")
    manager.assert_silent()
    host.write("/run/go", "")
    assert manager.next()["READY"] == "1" and host.exists("/run/gone")
    assert flags or process.wait(timeout=5) == 0
    host.run(simplevpn, "down", "wg0")


def test_a_reload_of_a_wrong_file_ends_too(host, simplevpn, manager):
    tunnel = Tunnel(host, simplevpn)
    process = host.popen("env", "NOTIFY_SOCKET=/run/notify", simplevpn, "up", "-f", "/run/wg0.conf",
                         stderr=subprocess.DEVNULL)
    assert manager.next()["READY"] == "1"
    tunnel.write(CONFIG.replace("[Peer]", "[Pear]"))
    process.send_signal(signal.SIGHUP)
    assert manager.next()["RELOADING"] == "1" and manager.next() == {"READY": "1"}
    tunnel.call("down", "wg0")
    assert "STOPPING" in manager.next() and process.wait(timeout=5) == 0


@pytest.mark.parametrize("peer, exit_status", [("[Pear]", 2), ("PostUp = false\n[Peer]", 4)],
                         ids=["file", "post-up"])
def test_the_manager_hears_nothing_of_a_failed_start(host, simplevpn, manager, peer, exit_status):
    Tunnel(host, simplevpn).write(CONFIG.replace("[Peer]", peer))
    done = host.run("env", "NOTIFY_SOCKET=/run/notify", simplevpn, "up", "-f", "/run/wg0.conf",
                    check=False)
    assert done.returncode == exit_status
    manager.assert_silent()


# ---- the privileges that the unit leaves ----

UNIT = (SOURCES / f"{UNITS[0]}.in").read_text(encoding="ascii")
CAPABILITIES = [name.removeprefix("CAP_").lower() for name in
                re.search(r"^CapabilityBoundingSet=(.*)$", UNIT, re.M).group(1).split()]


def confined(*command):
    """As root with the unit's capabilities, on a file system that is read-only but for what its
    ReadWritePaths, StateDirectory and RuntimeDirectory leave. The mounts are made first, in a mount
    namespace of the command's own."""
    assert "ReadWritePaths=/etc\n" in UNIT and "StateDirectory=simplevpn\n" in UNIT
    script = f"""set -e
mount --make-rprivate /
mount --bind / /
for writable in /etc /run /var/lib; do mount --rbind $writable $writable; done
mount -o remount,bind,ro /
exec setpriv --bounding-set=-all,{",".join("+" + name for name in CAPABILITIES)} \
  --no-new-privs "$@"
"""
    return ["unshare", "--mount", "sh", "-c", script, "sh", *command]


def test_the_unit_gives_what_two_processes_need():
    assert set(CAPABILITIES) == {"net_admin", "net_bind_service", "setuid", "setgid", "kill"}


def test_a_tunnel_lives_with_the_units_privileges(cable, simplevpn):
    """With traffic, on a port below 1024; and the process for packets is nobody."""
    need("setpriv")
    ours, theirs = Simplevpn(cable[0], simplevpn, port=500), WireguardGo(cable[1])
    join(ours, theirs, ("192.0.2.1", "192.0.2.2"))
    theirs.start()
    ours.start(wrapper=confined())
    assert traffic.answers(ours.host, theirs.ipv4)
    status = pathlib.Path(f"/proc/{ours.pid()}/status").read_text(encoding="ascii")
    assert int(re.search(r"CapEff:\s*(\w+)", status).group(1), 16) == 1 << 12 | 1 << 10
    assert not re.search(r"^Uid:\s+0\s", status, re.M)
    ours.send_signal(signal.SIGHUP)
    wait_until(lambda: "event=reloaded" in ours.errors(), what="reloaded")
    ours.host.run(*confined(simplevpn, "down", "wg0"))
    assert ours.process.wait(timeout=5) == 0
    assert "wg0" not in ours.host.ip("link")


def test_after_a_crash_exec_stop_post_undoes_all_but_the_block(furnished, simplevpn):
    host = furnished
    need("setpriv")
    tunnel = Tunnel(host, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(host)
    host.popen(*confined(simplevpn, "client", "--kill-switch", "/run/wg0.conf"),
               stderr=subprocess.DEVNULL)
    wait_until(lambda: host.run(simplevpn, "status", "wg0", check=False).returncode == 0, what="up")
    crash.kill(host)
    post = re.search(r"^ExecStopPost=@BINDIR@/simplevpn (.*)$", UNIT, re.M).group(1)
    host.run(*confined(simplevpn, *post.replace("%i", "wg0").split()))
    after = machine.describe(host)
    assert {fact for fact in before if after[fact] != before[fact]} == {"packet filter", "state"}
    tunnel.call("unblock", "wg0")
    assert not machine.differences(before, machine.describe(host))


def test_after_a_power_cut_name_servers_are_put_back_at_boot(furnished, simplevpn):
    """Another boot has forgotten all but files; nobody starts the tunnel again."""
    host = furnished
    need("setpriv")
    tunnel = Tunnel(host, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(host)
    tunnel.up()
    crash.kill(host)
    crashed = machine.describe(host)
    assert crashed["resolv.conf"] != before["resolv.conf"]
    host.replace_file("/proc/sys/kernel/random/boot_id", "8a1f6c1e-7c5d-4b6e-9a53-1f0a5e0c7d11\n")
    boot = (SOURCES / "simplevpn-cleanup.service.in").read_text(encoding="ascii")
    command = re.search(r"^ExecStart=@BINDIR@/simplevpn (.*)$", boot, re.M).group(1)
    assert re.search(r"^CapabilityBoundingSet=CAP_NET_ADMIN$", boot, re.M)
    host.run("setpriv", "--no-new-privs", "--bounding-set=-all,+net_admin", simplevpn,
             *command.split())
    after = machine.describe(host)
    for fact in ("resolv.conf", "files", "state"):
        assert after[fact] == before[fact], fact
    assert after["rules v4"] == crashed["rules v4"]  # not of that boot, as far as it knows
