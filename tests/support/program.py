"""simplevpn as the system tests run it: by itself, or as a daemon on a host."""

import json
import os
import shutil
import subprocess

import pytest

from netns import wait_until

# Seconds until it has ended when told to. Under sanitizers each process looks for leaks first.
END_S = 8 if "UNSOUND" in os.environ else 2

PRIVATE = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
PRESHARED = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
PEER = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
CONFIG = f"""[Interface]
PrivateKey = {PRIVATE}
ListenPort = 51820
Address = 10.9.0.1/24, fd09::1/64

[Peer]
# friendly_name = laptop
PublicKey = {PEER}
PresharedKey = {PRESHARED}
AllowedIPs = 10.9.0.2/32, 10.77.0.0/16, fd09::2/128
PersistentKeepalive = 25
"""


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=30, check=False, **options)


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


class Tunnel:
    """A configuration wg0 on one host."""

    def __init__(self, host, program):
        self.host, self.program = host, program
        self.write(CONFIG)

    def write(self, text):
        self.host.write("/run/wg0.conf", text)

    def call(self, *arguments, exit_status=0):
        done = self.host.run(self.program, *arguments, check=False, timeout=30)
        assert done.returncode == exit_status, f"{arguments}: {done.returncode}\n{done.stderr}"
        return done

    def up(self, **options):
        return self.call("up", "/run/wg0.conf", **options)

    def foreground(self, *arguments):
        process = self.host.popen(self.program, "up", "-f", "/run/wg0.conf", *arguments,
                                  stderr=subprocess.PIPE)
        wait_until(lambda: process.poll() is not None or
                   self.host.run(self.program, "status", "wg0", check=False).returncode == 0,
                   what="tunnel up")
        assert process.poll() is None, process.stderr.read()
        return process

    def status(self):
        return json.loads(self.call("status", "wg0", "--json").stdout)["tunnels"][0]

    def link_exists(self):
        return self.host.has_interface("wg0")

    def assert_gone(self):
        assert not self.link_exists()
        assert not self.host.exists("/run/wireguard/wg0.sock")
        assert "10.77.0.0/16" not in self.host.ip("route")
        wait_until(lambda: not self.host.pids("simplevpn"), what="daemon ended")
