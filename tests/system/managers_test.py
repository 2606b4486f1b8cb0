"""DNS = of a file where Debian's own systemd-resolved, resolvconf or openresolv manage resolv.conf.
The programs are real; only NetworkManager is nowhere more than a stand-in."""

import json
import shutil
import socket

import pytest

import crash
import managers
from leaks import Watch, question
from names import NameServer
from netns import wait_until
from program import run

UPLINK = "nameserver 192.0.2.2\nsearch lan\n"
SPLIT, FULL = "10.9.0.0/24", "0.0.0.0/0"
# How a tunnel is started, and what it leads.
WAYS = {"split": (("up",), SPLIT), "wg-quick": (("up",), FULL),
        "kill-switch": (("up", "--kill-switch"), FULL)}


class Site:
    """client with its uplink up0 to server; name servers outside (192.0.2.2) and inside."""

    def __init__(self, lab, program, folder):
        self.program, self.folder = program, folder
        self.server, self.client = lab.host("server"), lab.host("client")
        lab.veth(self.server, "192.0.2.2/24", self.client, "192.0.2.1/24", names=("net0", "up0"))
        self.client.ip("route", "add", "default", "via", "192.0.2.2")
        done = run(program, "init", "server", "--endpoint", "192.0.2.2:51820", "--net",
                   "10.9.0.0/24", "--client", "client.conf", cwd=folder)
        assert done.returncode == 0, done.stderr
        self.server.run(program, "up", folder / "server.conf")
        self.outside = NameServer(self.server, "192.0.2.2", {"www.test": ["198.51.100.1"]})
        self.inside = NameServer(self.server, "10.9.0.1", {
            "host.inside.test": ["10.9.0.77"], "www.test": ["198.51.100.2"]})

    def write(self, allowed, names="10.9.0.1, inside.test"):
        path = self.folder / "client.conf"
        lines = [line for line in path.read_text(encoding="ascii").splitlines()
                 if not line.startswith(("AllowedIPs", "DNS"))]
        text = "\n".join(lines).replace("[Interface]", f"[Interface]\nDNS = {names}")
        path.write_text(f"{text}\nAllowedIPs = {allowed}\n", encoding="ascii")
        return path

    def start(self, command):
        """Until it is up; returns what its plan said of names."""
        path = self.folder / "client.conf"
        plan = self.client.run(self.program, *command, "--dry-run", path).stdout
        self.client.run(self.program, "-q", *command, path)
        wait_until(lambda: self.status()["peers"][0]["live"], what="session")
        return plan.splitlines()[-1]

    def status(self):
        done = self.client.run(self.program, "status", "client", "--json")
        return json.loads(done.stdout)["tunnels"][0]

    def stop(self):
        self.client.run(self.program, "down", "client")

    def crash(self):
        assert crash.kill(self.client)

    def look_up(self, name):
        """(address, who was asked)."""
        done = self.client.run("getent", "ahostsv4", name, check=False)
        asked = "".join(where for where, names in (("i", self.inside), ("o", self.outside))
                        if names.asked())
        return done.stdout.split()[0] if done.stdout else None, asked

    def checks(self):
        """doctor's verdicts."""
        done = self.client.run(self.program, "doctor", self.folder / "client.conf", check=False)
        return {line.split(":")[0] for line in done.stdout.splitlines() if line[0] != " "}

    def leaves_nothing(self, manager, before, command):
        """After a crash and a clean-up, or a crash and another start and stop."""
        self.start(command)
        self.crash()
        self.client.run(self.program, "down", "--cleanup")
        assert manager.state() == before
        self.start(command)
        self.crash()
        self.start(command)
        self.stop()
        assert manager.state() == before
        assert self.client.run("ls", "-A", "/var/lib/simplevpn").stdout == ""


@pytest.fixture
def site(lab, simplevpn, tmp_path):
    reason = managers.missing()
    if not shutil.which("dbus-daemon"):
        reason = "dbus-daemon is not installed"
    if reason:
        pytest.skip(reason)
    return Site(lab, simplevpn, tmp_path)


def resolved_on(site):
    manager = managers.Resolved(site.client)
    site.client.run("resolvectl", "dns", "up0", "192.0.2.2")
    assert site.look_up("www.test") == ("198.51.100.1", "o")
    return manager


@pytest.mark.parametrize("command, allowed", WAYS.values(), ids=WAYS)
def test_resolved_asks_inside(site, command, allowed):
    manager = resolved_on(site)
    site.write(allowed)
    before = manager.state()
    everything = allowed == FULL
    plan = site.start(command)
    manager.forget()
    with Watch({"up0": (site.client, "up0")}) as watch, watch.phase("up"):
        assert site.look_up("host") == ("10.9.0.77", "i")
        assert site.look_up("www.test") == (("198.51.100.2", "i") if everything else
                                            ("198.51.100.1", "o"))
    domains = ["inside.test", "~."] if everything else ["inside.test"]
    fallback = "yes" if everything else "no"
    assert plan == ("resolvectl dns client 10.9.0.1 && resolvectl domain client " +
                    " ".join(domains).replace("~.", "'~.'") +
                    f" && resolvectl default-route client {fallback}")
    assert manager.link("client") == (["10.9.0.1"], domains, [fallback])
    assert manager.link("up0") == (["192.0.2.2"], [], ["yes"])
    assert (("192.0.2.1", "192.0.2.2", "udp", 53) in watch.sent("up", "up0")) != everything
    assert site.status()["dns_backend"] == "resolved"
    assert "PASS settings" in site.checks() and ("PASS dns" in site.checks()) == everything
    site.stop()
    assert manager.state() == before
    if everything:
        site.leaves_nothing(manager, before, command)
    manager.forget()
    assert site.look_up("www.test") == ("198.51.100.1", "o")


@pytest.mark.parametrize("command, leaves", [(("up", "--strict"), True),
                                             (("up", "--kill-switch"), False)],
                         ids=["strict", "kill-switch"])
def test_names_of_another_interface_stay_with_it_unless_they_are_blocked(site, command, leaves):
    """A rule of systemd-resolved, which is written down in docs/configuration.md."""
    resolved_on(site)
    site.client.run("resolvectl", "domain", "up0", "lan")
    site.write(FULL)
    site.start(command)
    with Watch({"up0": (site.client, "up0")}) as watch, watch.phase("asked"), \
            site.client.network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stub:
        stub.sendto(question("printer.lan"), ("127.0.0.53", 53))
        stub.sendto(question("www.test"), ("127.0.0.53", 53))
        stub.settimeout(10)
        wait_until(lambda: b"\3www" in stub.recv(512), what="answer from inside")
    assert site.inside.asked() == {"www.test"}
    seen = {flow[3] for flow in watch.sent("asked", "up0")}
    assert 53 in seen if leaves else seen == {51820}


def test_domains_without_servers(site):
    manager = resolved_on(site)
    site.write(SPLIT, names="inside.test")
    before = manager.state()
    plan = site.start(("up",))
    assert plan == "resolvectl domain client inside.test"
    assert manager.link("client") == ([], ["inside.test"], ["no"])
    assert "PASS settings" in site.checks()
    manager.restart()
    assert manager.link("client") == ([], ["inside.test"], ["no"])
    site.client.run("resolvectl", "revert", "client")
    assert "FAIL settings" in site.checks()
    site.stop()
    assert manager.state() == before


@pytest.mark.parametrize("allowed", [SPLIT, FULL], ids=["split", "full"])
@pytest.mark.parametrize("kind, backends", [
    (managers.Debian, ("resolvconf", "file")), (managers.OpenResolv, ("resolvconf",) * 2),
    (managers.OpenResolvUnused, ("resolvconf",) * 2)])
def test_resolvconf_has_our_servers_first_or_alone(site, kind, backends, allowed):
    """Debian's cannot keep others out: then it is told nothing, and the file is put aside."""
    manager = kind(site.client, UPLINK)
    assert site.look_up("www.test") == ("198.51.100.1", "o")
    site.write(allowed)
    before = manager.state()
    everything = allowed == FULL
    site.start(("up",))
    assert site.status()["dns_backend"] == backends[everything]
    lines = site.client.read("/etc/resolv.conf").splitlines()
    others = ["nameserver 192.0.2.2"] if not everything else []
    assert [line for line in lines if line.startswith("nameserver")] == [
        "nameserver 10.9.0.1", *others]
    assert "search inside.test" + ("" if everything else " lan") in lines
    assert site.look_up("host") == ("10.9.0.77", "i")
    assert site.look_up("nowhere.test")[1] == "i"
    assert not {"FAIL settings", "FAIL dns_leak"} & site.checks()
    site.stop()
    assert manager.state() == before
    if everything:
        site.leaves_nothing(manager, before, ("up",))
    assert site.look_up("www.test") == ("198.51.100.1", "o")


@pytest.mark.parametrize("kind", [managers.Debian, managers.OpenResolv])
def test_a_network_that_is_joined_meanwhile_is_there_in_the_end(site, kind):
    manager = kind(site.client, UPLINK)
    site.write(FULL)
    site.start(("up", "--strict"))
    manager.record("nameserver 192.0.2.77\n")
    assert site.look_up("www.test") == ("198.51.100.2", "i")
    site.stop()
    assert "nameserver 192.0.2.77\n" in site.client.read("/etc/resolv.conf")
    assert "10.9.0.1" not in manager.state()
