"""Two processes: a daemon with root's powers, and one for packets that has given them up."""

import os
import pathlib
import pwd
import random
import re
import signal
import subprocess
import time

import pytest

import crash
import machine
from netns import wait_until
from program import CONFIG, Tunnel, need

NET_ADMIN, NET_BIND_SERVICE = 1 << 12, 1 << 10
MOMENTS = 8


@pytest.fixture
def tunnel(host, simplevpn):
    return Tunnel(host, simplevpn)


def packets(host):
    """Pid of the process for packets."""
    (pid,) = host.pids("simplevpn-pkt")
    return pid


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def capabilities(pid, which="CapEff"):
    return int(status_of(pid)[which], 16)


def descriptors(pid):
    folder = f"/proc/{pid}/fd"
    return {re.sub(r":\[\d+\]", "", os.readlink(f"{folder}/{name}")) for name in os.listdir(folder)}


# ---- who they are ----

def test_packets_are_moved_by_nobody_with_one_power(tunnel, host):
    tunnel.up()
    (daemon,) = host.pids("simplevpn")
    process = packets(host)
    nobody = pwd.getpwnam("nobody")
    status = status_of(process)
    assert set(status["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(status["Gid"].split()) == {str(nobody.pw_gid)} and not status["Groups"].strip()
    assert status["NoNewPrivs"] == "1"
    assert capabilities(process) == capabilities(process, "CapPrm") == NET_ADMIN
    assert capabilities(process, "CapInh") == capabilities(process, "CapAmb") == 0
    assert os.stat(f"/proc/{process}/environ").st_uid == 0, "nobody could look into it"
    limits = pathlib.Path(f"/proc/{process}/limits").read_text(encoding="ascii")
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
    assert int(status["PPid"]) == daemon
    assert set(status_of(daemon)["Uid"].split()) == {"0"}


def test_status_names_the_daemon(tunnel, host):
    tunnel.up()
    (daemon,) = host.pids("simplevpn")
    assert str(tunnel.status()["pid"]) == status_of(daemon)["NSpid"].split()[-1]


def test_each_has_only_its_own_descriptors(tunnel, host):
    """Also none that the caller left open."""
    command = 'exec 7</run/wg0.conf; exec "$1" up -f /run/wg0.conf'
    process = host.popen("/bin/sh", "-c", command, "sh", tunnel.program, stderr=subprocess.PIPE)
    wait_until(lambda: host.pids("simplevpn-pkt") and
               host.run(tunnel.program, "status", "wg0", check=False).returncode == 0, what="up")
    own = {"/dev/null", "/dev/net/tun", "socket", "anon_inode:[eventfd]",
           "anon_inode:[eventpoll]", "anon_inode:[timerfd]"}
    assert descriptors(packets(host)) <= own
    (daemon,) = host.pids("simplevpn")
    assert "/dev/net/tun" not in descriptors(daemon)
    process.terminate()
    assert process.wait(timeout=5) == 0


def test_a_port_below_1024_can_be_bound_anew(tunnel, host):
    need("wg")
    tunnel.write(CONFIG.replace("51820", "500"))
    tunnel.up()
    assert capabilities(packets(host)) == NET_ADMIN | NET_BIND_SERVICE
    host.run("wg", "set", "wg0", "listen-port", "501", "fwmark", "7")
    assert tunnel.status()["listen_port"] == 501
    assert ":501 " in host.run("ss", "-uln").stdout


def test_without_power_over_users_the_user_stays(tunnel, host):
    need("setpriv")
    process = host.popen("setpriv", "--bounding-set=-all,+net_admin", tunnel.program, "up", "-f",
                         "/run/wg0.conf", stderr=subprocess.PIPE)
    wait_until(lambda: host.pids("simplevpn-pkt") and
               host.run(tunnel.program, "status", "wg0", check=False).returncode == 0, what="up")
    assert set(status_of(packets(host))["Uid"].split()) == {"0"}
    assert capabilities(packets(host)) == NET_ADMIN
    process.terminate()
    assert process.wait(timeout=5) == 0
    tunnel.assert_gone()


# ---- when one of them dies ----

def test_killed_packets_end_the_tunnel_and_everything_is_undone(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(furnished)
    process = tunnel.foreground()
    os.kill(packets(furnished), signal.SIGKILL)
    assert process.wait(timeout=5) == 1
    errors = process.stderr.read()
    assert "the packet process of wg0 ended: signal 9" in errors and "hint:" in errors
    assert not machine.differences(before, machine.describe(furnished))


def test_packets_may_die_at_any_moment(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(furnished)
    longest = crash.time_of_start(furnished, simplevpn)
    for seed in range(MOMENTS):
        process = furnished.popen(simplevpn, "up", "-f", "/run/wg0.conf",
                                  stderr=subprocess.DEVNULL)
        wait_until(lambda: furnished.pids("simplevpn-pkt"), what="process for packets")
        time.sleep(random.Random(seed).uniform(0, longest))
        furnished.kill("simplevpn-pkt", signal.SIGKILL)
        assert process.wait(timeout=5) in (1, 4), f"seed {seed}"
        found = machine.differences(before, machine.describe(furnished))
        assert not found, f"seed {seed}:\n" + "\n".join(found)


def test_killed_packets_leave_the_block_of_a_kill_switch(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(furnished)
    process = furnished.popen(simplevpn, "client", "--kill-switch", "/run/wg0.conf",
                              stderr=subprocess.DEVNULL)
    wait_until(lambda: furnished.run(simplevpn, "status", "wg0", check=False).returncode == 0,
               what="up")
    os.kill(packets(furnished), signal.SIGKILL)
    assert process.wait(timeout=5) == 1
    after = machine.describe(furnished)
    assert {fact for fact in before if after[fact] != before[fact]} == {"packet filter", "state"}
    tunnel.call("unblock", "wg0")
    assert not machine.differences(before, machine.describe(furnished))


def test_packets_end_with_the_daemon(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(furnished)
    tunnel.up()
    assert furnished.kill("simplevpn", signal.SIGKILL) == 1
    wait_until(lambda: not furnished.pids("simplevpn-pkt"), what="packets ended")
    tunnel.call("down", "--cleanup")
    assert not machine.differences(before, machine.describe(furnished))


def test_packets_that_hang_are_killed(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    before = machine.describe(furnished)
    for end in ("signal", "down"):
        process = tunnel.foreground()
        os.kill(packets(furnished), signal.SIGSTOP)
        if end == "signal":
            process.terminate()
        else:
            furnished.run("rm", "/run/wireguard/wg0.sock")
        assert process.wait(timeout=8) == 0
        assert not machine.differences(before, machine.describe(furnished)), end


def test_a_file_that_only_root_may_read_is_read_anew(tunnel):
    process = tunnel.foreground()
    tunnel.write(CONFIG.replace("laptop", "phone"))  # 0600
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: tunnel.status()["peers"][0]["name"] == "phone", what="reloaded")
    tunnel.call("down", "wg0")
    assert process.wait(timeout=5) == 0


@pytest.mark.parametrize("how", ["chown nobody /run/wg0.conf", "chmod 622 /run/wg0.conf",
                                 "chmod 777 /run/mine", "chown nobody /run/mine"])
def test_root_runs_no_hooks_of_a_file_that_others_could_have_made(tunnel, host, how):
    """Which file a tunnel has is said by the process for packets."""
    host.run("mkdir", "-m", "755", "/run/mine")
    path = "/run/mine/wg0.conf" if how.endswith("mine") else "/run/wg0.conf"
    host.write(path, CONFIG + "PreDown = touch /run/ran\n".join(["", ""]))
    host.write(path, CONFIG.replace("[Peer]", "PreDown = touch /run/ran\n[Peer]"))
    tunnel.call("up", path)
    host.run("/bin/sh", "-c", how)
    refused = tunnel.call("save", "wg0", exit_status=6)
    assert path in refused.stderr
    done = tunnel.call("down", "wg0")
    assert "hooks are not run" in done.stderr and not host.exists("/run/ran")
    tunnel.assert_gone()
