"""The road of road.py, furnished for the proof that nothing leaks: a second uplink, NAT at the
router, a container behind a bridge, services on the Internet, a resolver in the local network.

    cli --- up0 --- br0 (lan)            192.168.1.0/24, 2001:db8:1::/64, fd01:1::/64
     |  \\-- up1 --- rtr                  192.168.2.0/24, 2001:db8:5::/64; taken when up0 is down
    docker0 --- container                172.17.0.0/16, fd17::/64
"""

import contextlib
import socket

import pytest

import crash
import names
from leaks import Programs, Services, Watch, probes, too_late
from netns import Lab, missing, wait_until
from road import INET4, INET6, LAN4, LAN6, PORT, SERVER4, Road

LAN_ULA = "fd01:1::9"
RESOLVER = "192.168.1.1"
RTR4 = "198.51.100.1"  # what srv sees of the client
CLI4, CLI6, CLI_ULA = "192.168.1.5", "2001:db8:1::5", "fd01:1::5"
SECOND4, SECOND6 = "192.168.2.5", "2001:db8:5::5"

# What programs of the client and of the container try all the time.
INTERNET = probes(INET4, INET6)
LOCAL_PRIVATE = probes(LAN4, LAN_ULA)
LOCAL_PUBLIC = probes(LAN6)
TO_SERVER = {(SERVER4, "udp", PORT), (SERVER4, "udp", PORT + 1), (SERVER4, "tcp", PORT),
             (SERVER4, "icmp", 8)}
OF_CLIENT = INTERNET | LOCAL_PRIVATE | LOCAL_PUBLIC | TO_SERVER
OF_CONTAINER = probes(INET4, INET6, LAN4)
TUNNEL = {(CLI4, SERVER4, "udp", PORT)}
BLOCKED = ("client", "--kill-switch")


def outside(tried, four=CLI4, six=CLI6, ula=CLI_ULA):
    """The flows of probes that leave by an uplink of the client."""
    def source(address):
        return four if ":" not in address else ula if address.startswith("fd01") else six
    return {(source(address), address, kind, port) for address, kind, port in tried}


def sent(road, tried, by=None, **options):
    """The flows that leave the client while programs try all that for a moment."""
    with Watch({name: (road.cli, name) for name in ("up0", "up1")}) as watch, \
            Programs(by or road.cli, tried, **options) as programs, watch.phase("now"):
        programs.rounds()
    seen = watch.sent("now", "up0") | watch.sent("now", "up1")
    return seen - too_late(seen)


class Proof(Road):
    """The hosts; `container` is one more."""

    def __init__(self, lab, program):
        super().__init__(lab, program)
        lab.veth(self.cli, [f"{SECOND4}/24", f"{SECOND6}/64"], self.rtr,
                 ["192.168.2.1/24", "2001:db8:5::1/64"], names=("up1", "p2"))
        for gateway, metric in (("192.168.2.1", 100), ("2001:db8:5::1", 4096)):
            self.cli.ip("route", "add", "default", "via", gateway, "dev", "up1", "metric", metric)
        self.cli.ip("address", "add", f"{CLI_ULA}/64", "dev", "up0", "nodad")
        self.lan.ip("address", "add", f"{LAN_ULA}/64", "dev", "up0", "nodad")
        for host, via in ((self.srv, "2001:db8:2::1"), (self.inet, "2001:db8:3::2")):
            host.ip("route", "add", "2001:db8:5::/64", "via", via)
        self.rtr.run("nft", "table ip nat { chain post { type nat hook postrouting priority 100; "
                     "ip saddr 192.168.0.0/16 oifname { net0, net1 } masquerade; }\n }")
        self.container = self.add_container()
        names.own_etc(self.cli, f"nameserver {RESOLVER}\n")
        self.resolver = names.NameServer(self.rtr, RESOLVER, {})
        lab.enter_context(Services(self.inet, INET4, INET6))

    def places(self):
        """Every cable: where what is sent into it is seen."""
        return {"up0": (self.cli, "up0"), "up1": (self.cli, "up1"), "bridge": (self.cli, "docker0"),
                "container": (self.container, "eth0"), "lan": (self.lan, "up0"),
                "rtr to srv": (self.rtr, "net0"), "rtr to inet": (self.rtr, "net1"),
                "srv to inet": (self.srv, "net0"), "inet": (self.inet, "net0")}

    def _start(self, host, command, *flags):
        """Returns when the daemon has said that it is ready."""
        path = f"/proc/{host.pid}/root/run/notify"
        foreground = ["-f"] if command == "up" else []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            host.run("rm", "-f", "/run/notify")
            notified.bind(path)
            notified.settimeout(0.02)
            process = host.popen("env", "NOTIFY_SOCKET=/run/notify", self.program, "-q", command,
                                 *foreground, "/run/wg0.conf", *flags)
            def ready():
                assert process.poll() is None, f"{host.name} ended with {process.returncode}"
                with contextlib.suppress(TimeoutError):
                    return b"READY=1" in notified.recv(512)
            wait_until(ready, timeout=20, what=f"tunnel of {host.name} ready")
        return process

    def clear(self):
        """Ends what runs, and takes away what it may have left."""
        for host in (self.cli, self.srv):
            host.kill("simplevpn", 9)
            wait_until(lambda host=host: not host.pids("simplevpn"), what="daemons dead")
            host.run(self.program, "down", "--cleanup")
            host.run(self.program, "unblock")

    def kill_client(self):
        """As a crash would end it."""
        crash.kill(self.cli)

    def stop_server(self, process):
        process.terminate()
        assert process.wait(timeout=10) == 0

    def drop_uplink(self):
        """The cable of the first uplink is pulled."""
        self.cli.ip("link", "set", "up0", "down")

    def restore_uplink(self):
        """Until the tunnel uses it again: a split one's route to the server follows."""
        self.cli.ip("link", "set", "up0", "up")
        for address in (CLI6, CLI_ULA):
            self.cli.ip("address", "add", f"{address}/64", "dev", "up0", "nodad", check=False)
        wait_until(lambda: "state UP" in self.cli.ip("link", "show", "up0"), what="up0 is up")
        self.cli.ip("route", "replace", "default", "via", "192.168.1.1", "dev", "up0")
        self.cli.ip("route", "replace", "default", "via", "2001:db8:1::1", "dev", "up0")
        wait_until(lambda: "dev up1" not in self.cli.ip("route", "show", SERVER4),
                   what="the way to the server")


@pytest.fixture(scope="module")
def shared(simplevpn):
    """The hosts of all tests of a file; each test finds them as the first one did."""
    reason = missing("nft", "wg", tun=True)
    if reason:
        pytest.skip(reason)
    with Lab() as lab:
        hosts = Proof(lab, simplevpn)
        for host in (hosts.cli, hosts.container):  # a bridge takes its time with neighbours
            with Programs(host, INTERNET) as programs:
                programs.reach(INTERNET)
        yield hosts


@pytest.fixture
def road(shared):
    yield shared
    shared.clear()
