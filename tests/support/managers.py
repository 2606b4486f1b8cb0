"""Debian's managers of /etc/resolv.conf on a host: the real programs, unpacked and never installed
(cmake/install-dependencies.sh --tests), over the host's own /usr and /etc."""

import os
import pathlib
import subprocess

import names
from netns import wait_until

UNPACKED = pathlib.Path(__file__).resolve().parents[2] / "build" / "debian"
STUB = "/run/systemd/resolve/stub-resolv.conf"
DYNAMIC = "/run/resolvconf/resolv.conf"

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"""


def missing():
    """What is not there, in words, or ""."""
    for package in ("systemd-resolved", "resolvconf", "openresolv"):
        if not (UNPACKED / package).is_dir():
            return f"cmake/install-dependencies.sh --tests has not unpacked {package}"
    return ""


def _place(host, package):
    """As an installation would place its files, without what it would run."""
    root = UNPACKED / package
    for part in ("bin", "sbin", "lib"):
        layers = [str(path) for path in (root / part, root / "usr" / part) if path.is_dir()]
        if layers:
            layers.append(f"/usr/{part}")
            host.run("mount", "-t", "overlay", "-o", f"lowerdir={':'.join(layers)}", "overlay",
                     f"/usr/{part}")
    host.run("cp", "-a", f"{root}/etc/.", "/etc/")


class _Records:
    """A resolvconf. `record`: of the uplink, as a DHCP client makes it."""

    def __init__(self, host, package):
        self.host = host
        _place(host, package)

    def record(self, text):
        self.host.run("resolvconf", "-a", "up0.dhcp", input=text)

    def state(self):
        """What it knows, and what it has written."""
        return self.host.run("sh", "-c", "ls -l --time-style=+ /etc/resolv.conf; "
                             "cat /etc/resolv.conf; find /run/resolvconf -type f "
                             "-path '*interface*' -exec head -v {} + 2>/dev/null || true").stdout


class Debian(_Records):
    """The package resolvconf."""

    def __init__(self, host, uplink):
        super().__init__(host, "resolvconf")
        host.run("mkdir", "-p", "/run/resolvconf/interface")
        host.run("touch", DYNAMIC)
        host.run("ln", "-sf", DYNAMIC, "/etc/resolv.conf")
        host.run("resolvconf", "--enable-updates")
        self.record(uplink)


class OpenResolv(_Records):
    """The package openresolv, which writes /etc/resolv.conf itself."""

    def __init__(self, host, uplink):
        super().__init__(host, "openresolv")
        names.own_etc(host, "# by hand\n")
        self.record(uplink)


class OpenResolvUnused(_Records):
    """The same where nobody uses it: the file is written by hand."""

    def __init__(self, host, uplink):
        super().__init__(host, "openresolv")
        names.own_etc(host, uplink)


class Resolved:
    """systemd-resolved, on a bus of the host."""

    def __init__(self, host):
        self.host = host
        _place(host, "systemd-resolved")
        host.run("ln", "-sf", STUB, "/etc/resolv.conf")
        host.run("mkdir", "-p", "/run/dbus", "/run/systemd/resolve")
        host.run("sh", "-c", "grep -q ^systemd-resolve: /etc/passwd || "
                 "echo systemd-resolve:x:990:990::/:/bin/false >>/etc/passwd; "
                 "grep -q ^systemd-resolve: /etc/group || "
                 "echo systemd-resolve:x:990: >>/etc/group; "
                 "chown systemd-resolve: /run/systemd/resolve")
        host.write("/run/bus.conf", _BUS)
        bus = host.popen("dbus-daemon", "--config-file=/run/bus.conf", "--nofork",
                         "--print-address", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert bus.line(bus.stdout).startswith("unix:")
        self.start()

    def start(self):
        environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
        self._process = self.host.popen("/usr/lib/systemd/systemd-resolved", env=environment)
        wait_until(lambda: self.host.run("resolvectl", "dns", check=False).returncode == 0,
                   what="systemd-resolved answers")

    def restart(self):
        self._process.terminate()
        self._process.wait()
        self.start()

    def forget(self):
        """What it was answered before."""
        self.host.run("resolvectl", "flush-caches")

    def link(self, name):
        """(servers, domains, default route) of an interface, as resolvectl says them."""
        return tuple(self.host.run("resolvectl", word, name).stdout.split("):")[1].split()
                     for word in ("dns", "domain", "default-route"))

    def state(self):
        said = [self.host.run("resolvectl", word).stdout for word in ("dns", "domain")]
        files = [self.host.read(path) for path in (STUB, "/run/systemd/resolve/resolv.conf")]
        return (*said, *files, self.host.run("readlink", "/etc/resolv.conf").stdout)
