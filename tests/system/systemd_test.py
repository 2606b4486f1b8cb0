"""The units, without systemd as the first process: what systemd-analyze says of them, what the
daemon tells it, and whether the daemon lives with the privileges that they leave."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from netns import wait_until
from program import CONFIG, Tunnel, need

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "examples" / "simplevpn" / "systemd"
UNITS = ("simplevpn@.service", "simplevpn-wait@.service")
CAPABILITIES = "+net_admin,+net_bind_service"


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
    return tmp_path


def analyze(units, *arguments):
    # The folder's own units, then systemd's.
    path = f"{units}:/lib/systemd/system:/usr/lib/systemd/system"
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": path, "LC_ALL": "C"})


def instance(unit):
    return unit.replace("@.", "@wg0.")


@pytest.mark.parametrize("unit", UNITS)
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


@pytest.mark.parametrize("unit, most", [(UNITS[0], 3.2), (UNITS[1], 2.3)])
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
    process.send_signal(signal.SIGHUP)
    assert "RELOADING" in manager.next()
    assert "READY" in manager.next()
    process.send_signal(signal.SIGTERM)
    assert "STOPPING" in manager.next()
    assert process.wait(timeout=5) == 0


def test_the_manager_hears_nothing_of_a_failed_start(host, simplevpn, manager):
    Tunnel(host, simplevpn).write(CONFIG.replace("[Peer]", "[Pear]"))
    done = host.run("env", "NOTIFY_SOCKET=/run/notify", simplevpn, "up", "-f", "/run/wg0.conf",
                    check=False)
    assert done.returncode == 2
    manager.socket.settimeout(0.01)
    with pytest.raises(TimeoutError):
        manager.next()


# ---- the privileges that the unit leaves ----

def confined(*command):
    """As root with two capabilities, on a file system that is read-only but for /etc, /run and
    /var/lib. The mounts are made first, in a mount namespace of the command's own."""
    script = f"""set -e
mount --make-rprivate /
mount --bind / /
for writable in /etc /run /var/lib; do mount --bind $writable $writable; done
mount -o remount,bind,ro /
exec setpriv --bounding-set=-all,{CAPABILITIES} --no-new-privs "$@"
"""
    return ["unshare", "--mount", "sh", "-c", script, "sh", *command]


def test_a_tunnel_lives_with_the_units_privileges(host, simplevpn):
    need("setpriv")
    tunnel = Tunnel(host, simplevpn)
    tunnel.write(CONFIG.replace("51820", "500"))  # a port below 1024
    process = host.popen(*confined(simplevpn, "up", "-f", "/run/wg0.conf"), stderr=subprocess.PIPE)
    wait_until(lambda: process.poll() is not None or
               host.run(simplevpn, "status", "wg0", check=False).returncode == 0, what="up")
    assert process.poll() is None, process.stderr.read()
    status = pathlib.Path(f"/proc/{host.pids('simplevpn')[0]}/status").read_text(encoding="ascii")
    assert int(re.search(r"CapBnd:\s*(\w+)", status).group(1), 16) == 1 << 12 | 1 << 10
    assert "10.9.0.1/24" in host.ip("address", "show", "dev", "wg0")
    host.run(*confined(simplevpn, "down", "wg0"))
    process.wait(timeout=5)
    assert not tunnel.link_exists()
