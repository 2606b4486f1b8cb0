"""`simplevpn demo` as its users call it: as root, as an ordinary user, and where it cannot run."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import uuid
import xml.etree.ElementTree as xml

import pytest

import netns
import schema
from netns import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATUS_SCHEMA = json.loads((ROOT / "docs/schema/status.json").read_text(encoding="utf-8"))
LINES = ["handshake", "ping, IPv4", "ping, IPv6", "copy of 100 MB", "client changes its address",
         "server killed and restarted", "1,000 tampered datagrams", "1,000 replayed datagrams",
         "no plaintext on the path", "clean-up"]
PLACES = ("/run/wireguard", "/run/simplevpn", "/var/lib/simplevpn", "/run/netns")

# A machine whose /dev/net/tun has another mode, without touching this one.
OTHER_TUN = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mknod "$1/tun" c 10 200
chmod "$2" "$1/tun"
mount --bind "$1/tun" /dev/net/tun
shift 2
exec "$@"
"""
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture(autouse=True)
def able():
    reason = netns.missing("setpriv", tun=True)
    if reason:
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def no_search_for_leaks(sanitizer_reports):
    """The hosts of a demo keep the machine's /proc; what its commands and daemons lose elsewhere,
    the other tests see."""
    with sanitizer_reports.without_leaks():
        yield


class Marked:
    """Finds every process that a call leads to: they all inherit a word in the environment."""

    def __init__(self):
        self.word = f"DEMO_TEST={uuid.uuid4()}"
        self.environment = dict(os.environ, **dict([self.word.split("=")]))

    def processes(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                folder = pathlib.Path("/proc", pid)
                if self.word.encode() in (folder / "environ").read_bytes():
                    found.append((int(pid), (folder / "cmdline").read_bytes().split(b"\0")))
            except OSError:
                continue
        return found


def inventory():
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    ours = re.findall(r"^\d+: (wg0|uplink|lan|to-client|to-server)[@:]", links, re.M)
    return [sorted(os.listdir(place)) if os.path.isdir(place) else None for place in PLACES], ours


def check_report(folder):
    assert sorted(os.listdir(folder)) == ["report.md", "status.json", "throughput.svg"]
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "**Every line held,**" in report and all(line in report for line in LINES)
    drawing = xml.parse(folder / "throughput.svg").getroot()
    words = " ".join(drawing.itertext())
    assert drawing.tag.endswith("svg") and "address changed" in words
    assert "server restarted" in words and "prefers-color-scheme: dark" in words
    status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    schema.check(status, STATUS_SCHEMA)
    drops = status["tunnels"][0]["counters"]["drops"]
    assert drops["replay"] >= 1000 and drops["forged"] >= 900


def test_every_line_holds_and_nothing_is_left(simplevpn, tmp_path, capsys):
    before, marked = inventory(), Marked()
    done = subprocess.run([simplevpn, "demo", "--color", "never", "--report", tmp_path / "report"],
                          capture_output=True, text=True, check=False, timeout=150,
                          env=marked.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = re.findall(r"^  ok    (.{28}) \S", done.stdout, re.M)
    assert [line.strip() for line in shown] == LINES and done.stderr == ""
    check_report(tmp_path / "report")
    assert inventory() == before and marked.processes() == []
    with capsys.disabled():
        print(f"\n{done.stdout}")  # the time it took is shown, not judged


def user_namespaces():
    probe = subprocess.run([*AS_NOBODY, "unshare", "-Urn", "true"], check=False)
    return probe.returncode == 0


def with_tun(mode, folder, *command):
    return ["unshare", "--mount", "/bin/sh", "-c", OTHER_TUN, "sh", str(folder), mode,
            *map(str, command)]


def test_an_ordinary_user_can_run_it(simplevpn, tmp_path):
    if not user_namespaces():
        pytest.skip("this machine gives an ordinary user no namespaces")
    tun = tmp_path / "tun"
    tun.mkdir()
    with tempfile.TemporaryDirectory() as home:  # pytest's directories are closed to others
        os.chown(home, 65534, 65534)
        report = pathlib.Path(home, "report")
        done = subprocess.run(with_tun("666", tun, *AS_NOBODY, simplevpn, "demo", "--json",
                                       "--report", report),
                              capture_output=True, text=True, check=False, timeout=150)
        assert done.returncode == 0, done.stdout + done.stderr
        check_report(report)
        assert "an ordinary user" in (report / "report.md").read_text(encoding="utf-8")
    document = json.loads(done.stdout)
    assert document["schema"] == "simplevpn.demo/1" and document["held"] is True
    assert [line["title"] for line in document["lines"]] == LINES


def refusal(command, cwd):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, cwd=cwd)
    assert done.returncode == 6 and done.stdout == "", done.stdout + done.stderr
    return done.stderr


def test_a_closed_tun_device_is_named_with_the_fix(simplevpn, tmp_path):
    if not user_namespaces():
        pytest.skip("this machine gives an ordinary user no namespaces")
    tun = tmp_path / "tun"
    tun.mkdir()
    text = refusal(with_tun("600", tun, *AS_NOBODY, simplevpn, "demo", "--report", "/tmp"),
                   tmp_path)
    assert "/dev/net/tun is not open to you (mode 0600)" in text
    assert "hint: sudo chmod 0666 /dev/net/tun" in text


def test_forbidden_namespaces_are_named_with_the_fix(simplevpn, tmp_path):
    # The limit is one of a user namespace, so a new one can have it without touching the machine.
    forbid = ('echo 0 > /proc/sys/user/max_user_namespaces && '
              'exec setpriv --bounding-set=-all --inh-caps=-all "$@"')
    text = refusal(["unshare", "-Ur", "/bin/sh", "-c", forbid, "sh", simplevpn, "demo"], tmp_path)
    assert "the setting user.max_user_namespaces = 0 forbids namespaces to you" in text
    assert "hint: sudo sysctl user.max_user_namespaces=" in text


def test_a_report_that_cannot_be_written_stops_it_at_once(simplevpn, tmp_path):
    (tmp_path / "file").write_text("", encoding="ascii")
    done = subprocess.run([simplevpn, "demo", "--report", tmp_path / "file"], capture_output=True,
                          text=True, check=False, timeout=30)
    assert done.returncode == 2 and done.stdout == "" and "file" in done.stderr


def start(simplevpn, marked, folder):
    """A demo under way: its tunnel is up."""
    demo = subprocess.Popen([simplevpn, "demo", "--report", folder], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=marked.environment)
    assert "four throw-away hosts" in demo.stdout.readline() + demo.stdout.readline()
    assert "handshake" in demo.stdout.readline()
    return demo


def test_killed_it_leaves_nothing(simplevpn, tmp_path):
    before, marked = inventory(), Marked()
    demo = start(simplevpn, marked, tmp_path)
    assert len(marked.processes()) >= 4, "demo, script, client and server"
    demo.kill()
    demo.communicate(timeout=10)
    wait_until(lambda: not marked.processes(), what="every process ended")
    assert inventory() == before


def test_a_line_that_does_not_hold_is_told(simplevpn, tmp_path):
    before, marked = inventory(), Marked()
    demo = start(simplevpn, marked, tmp_path)
    for pid, words in marked.processes():
        if b"client" in words:
            os.kill(pid, signal.SIGKILL)
    out, err = demo.communicate(timeout=150)
    assert demo.returncode == 7, out + err
    failed = re.search(r"^FAILED  (.{28})", out, re.M).group(1).strip()
    assert f"the demo did not hold: {failed}: " in err and "\n  ok    clean-up" in out
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "**Not every line held,**" in report and "## Logs" in report
    assert "PrivateKey" not in report
    assert marked.processes() == [] and inventory() == before


def test_the_hosts_can_be_kept(simplevpn, tmp_path):
    marked = Marked()
    with subprocess.Popen([simplevpn, "demo", "--keep", "--report", tmp_path], text=True,
                          stdout=subprocess.PIPE, env=marked.environment) as demo:
        doors = {}
        while "behind" not in doors:
            line = demo.stdout.readline()
            found = re.match(r"  (client|router|server|behind) +(nsenter .*)", line)
            if found:
                doors[found.group(1)] = found.group(2)
        for host, address in (("client", "192.0.2.77"), ("server", "198.51.100.2")):
            shown = subprocess.run([*doors[host].split(), "ip", "address"], capture_output=True,
                                   text=True, check=True).stdout
            assert address in shown and "wg0" in shown
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
    assert demo.returncode == 0 and "clean-up" in rest and marked.processes() == []
