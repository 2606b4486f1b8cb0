"""Commands for root, called by somebody else, with a sudo that writes down what it was asked."""

import os
import pty

import pytest

from program import Tunnel, need

SUDO = """#!/bin/sh
if [ "$1" = -n ]; then [ -e /run/no_password ]; exit; fi
printf '%s\\n' "$@" > /run/asked/sudo
exit 42
"""
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture
def tunnel(host, simplevpn):
    need("setpriv")
    host.run("mkdir", "-m", "755", "/run/bin")
    host.run("mkdir", "-m", "777", "/run/asked")
    host.write("/run/bin/sudo", SUDO, mode=0o755)
    return Tunnel(host, simplevpn)


def call(tunnel, *arguments, variables=(), **options):
    return tunnel.host.run(*AS_NOBODY, "env", "PATH=/run/bin:/usr/bin:/bin", *variables,
                           tunnel.program, *arguments, check=False, **options)


def asked(tunnel):
    """What sudo was asked to run, or None."""
    if not tunnel.host.exists("/run/asked/sudo"):
        return None
    words = tunnel.host.read("/run/asked/sudo").splitlines()
    assert words[0] == "-p" and words[2] == "--"
    return words[3:]


@pytest.mark.parametrize("command", [["up", "/run/wg0.conf"], ["down", "wg0"], ["unblock", "wg0"],
                                     ["client", "--lan", "/run/wg0.conf"], ["down", "--cleanup"],
                                     ["server", "/run/wg0.conf"], ["reload", "/run/wg0.conf"],
                                     ["save", "/run/wg0.conf"]], ids=" ".join)
def test_a_sudo_that_needs_no_password_is_used(tunnel, command):
    tunnel.host.write("/run/no_password", "")
    assert call(tunnel, *command).returncode == 42
    program, *arguments = asked(tunnel)
    assert os.path.realpath(program) == os.path.realpath(tunnel.program)
    assert arguments == command


def test_what_the_environment_says_goes_along(tunnel):
    tunnel.host.write("/run/no_password", "")
    call(tunnel, "up", "/run/wg0.conf", variables=["SIMPLEVPN_DNS_BACKEND=file"])
    assert asked(tunnel)[1:] == ["up", "/run/wg0.conf", "--dns-backend", "file"]
    call(tunnel, "up", "--dns-backend=resolved", "/run/wg0.conf",
         variables=["SIMPLEVPN_DNS_BACKEND=file"])
    assert asked(tunnel)[1:] == ["up", "--dns-backend=resolved", "/run/wg0.conf"]


def test_on_a_terminal_sudo_may_ask(tunnel):
    ours, theirs = pty.openpty()
    done = call(tunnel, "down", "wg0", stdin=theirs)
    assert done.returncode != 42, "standard error is no terminal"
    with tunnel.host.popen(*AS_NOBODY, "env", "PATH=/run/bin:/usr/bin:/bin", tunnel.program, "down",
                           "wg0", stdin=theirs, stderr=theirs) as process:
        assert process.wait(timeout=10) == 42
    assert asked(tunnel)[1:] == ["down", "wg0"]
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("case", ["password", "json", "no sudo"])
def test_otherwise_the_line_to_type_is_printed(tunnel, case):
    if case == "json":
        tunnel.host.write("/run/no_password", "")
    if case == "no sudo":
        tunnel.host.run("rm", "/run/bin/sudo")
    tunnel.host.run("chmod", "644", "/run/wg0.conf")
    options = ["--json"] if case == "json" else []
    done = call(tunnel, *options, "up", "/run/wg0.conf")
    assert done.returncode == 6 and asked(tunnel) is None
    assert "simplevpn" in done.stderr and "up /run/wg0.conf" in done.stderr


def test_what_is_refused_at_once_needs_no_sudo(tunnel):
    tunnel.host.write("/run/no_password", "")
    assert call(tunnel, "up").returncode == 2
    assert call(tunnel, "down").returncode == 2
    blocked = call(tunnel, "client", "--kill-switch", "/run/wg0.conf",
                   variables=["SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22"])
    assert blocked.returncode == 2 and "ssh" in blocked.stderr
    assert asked(tunnel) is None


def test_root_and_whoever_has_the_power_need_no_sudo(tunnel):
    tunnel.host.write("/run/no_password", "")
    tunnel.host.run("env", "PATH=/run/bin:/usr/bin:/bin", tunnel.program, "down", "wg0",
                    check=False)
    tunnel.host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                    "--inh-caps=+net_admin", "--ambient-caps=+net_admin", "env",
                    "PATH=/run/bin:/usr/bin:/bin", tunnel.program, "down", "wg0", check=False)
    assert asked(tunnel) is None
