"""PreUp, PostUp, PreDown, PostDown and SaveConfig: when they are run, by whom, and what a failure
means."""

import signal
import subprocess

import pytest

import crash
import machine
from netns import wait_until
from program import CONFIG, PEER, Tunnel, need

LOG = "/run/hooks.log"


@pytest.fixture
def tunnel(host, simplevpn):
    need("bash")
    return Tunnel(host, simplevpn)


def with_hooks(*lines):
    return CONFIG.replace("[Interface]\n", "[Interface]\n" + "".join(f"{one}\n" for one in lines))


def say(word):
    return f"echo {word} >> {LOG}"


EVERY = (f"PostDown = {say('post-down')}", f"PreDown = {say('pre-down')}",
         f"PostUp = {say('post-up-1')} # {say('never')}", f"PreUp = {say('pre-up')}",
         f"PostUp = {say('post-up-2')}")
ALL_SAID = ["pre-up", "post-up-1", "post-up-2", "pre-down", "post-down"]


def said(host):
    return host.read(LOG).split() if host.exists(LOG) else []


def test_hooks_are_run_in_order_by_up_and_down(tunnel, host):
    tunnel.write(with_hooks(*EVERY))
    done = tunnel.up()
    assert said(host) == ALL_SAID[:3]
    assert f"[#] {say('pre-up')}\n" in done.stderr
    tunnel.call("down", "/run/wg0.conf")
    tunnel.assert_gone()
    assert said(host) == ALL_SAID


def test_a_bare_name_means_the_file_that_the_tunnel_was_started_from(tunnel, host):
    tunnel.write(with_hooks(*EVERY).replace("ListenPort = 51820\n", ""))
    host.run("sh", "-c", f"cd /run && {tunnel.program} up wg0.conf")
    tunnel.call("save", "wg0")
    assert "ListenPort = " in host.read("/run/wg0.conf")
    tunnel.call("down", "wg0")
    assert said(host) == ALL_SAID


def test_no_hooks_runs_none(tunnel, host):
    tunnel.write(with_hooks("SaveConfig = true", *EVERY))
    text = host.read("/run/wg0.conf")
    tunnel.call("up", "--no-hooks", "/run/wg0.conf")
    tunnel.call("down", "--no-hooks", "/run/wg0.conf")
    assert said(host) == [] and host.read("/run/wg0.conf") == text


def test_hooks_see_the_interface_when_wg_quick_would_show_it(tunnel, host):
    look = "(ip -o address show dev %i | wc -l; ip -o link show dev %i | grep -c ,UP)"
    tunnel.write(with_hooks(
        f"PreUp = ip link show dev %i > /dev/null && {look} > /run/pre-up || true",
        f"PostUp = {look} > /run/post-up", f"PreDown = {look} > /run/pre-down",
        "PostDown = ! ip link show dev %i 2> /dev/null"))
    tunnel.up()
    tunnel.call("down", "/run/wg0.conf")
    assert host.read("/run/pre-up").split() == ["0", "0"], "the interface, before its addresses"
    assert host.read("/run/post-up").split()[0] in ("2", "3")
    assert host.read("/run/post-up") == host.read("/run/pre-down")


def test_hooks_are_bash_with_a_clean_environment_and_default_signals(tunnel, host):
    tunnel.write(with_hooks(
        "PostUp = [[ %i == wg* ]] && env > /run/env",
        "PostUp = grep -E '^Sig(Blk|Ign)' /proc/self/status > /run/signals",
        "PostUp = ls /proc/self/fd | wc -w > /run/descriptors"))
    process = host.popen("env", "SECRET=x", "LD_LIBRARY_PATH=/x", "BASH_ENV=/x", tunnel.program,
                         "up", "/run/wg0.conf", stderr=subprocess.PIPE)
    assert process.wait(30) == 0, process.stderr.read()
    environment = host.read("/run/env")
    assert "SECRET" not in environment and "LD_LIBRARY_PATH" not in environment
    assert "BASH_ENV" not in environment and "LC_ALL=C\n" in environment and "PATH=/" in environment
    signals = host.read("/run/signals")
    masks = [int(line.split()[1], 16) for line in signals.splitlines()]
    assert all(mask & 0x7fffffff == 0 for mask in masks), signals  # 32 and 33 are the C library's
    assert int(host.read("/run/descriptors")) <= 4, "0, 1, 2 and what ls itself opened"
    tunnel.call("down", "/run/wg0.conf")


@pytest.mark.parametrize("key", ["PreUp", "PostUp"])
@pytest.mark.parametrize("foreground", [False, True])
def test_a_failed_start_hook_undoes_the_start(tunnel, host, key, foreground):
    before = host.ip("addr"), host.ip("route"), host.ip("rule")
    tunnel.write(with_hooks(f"{key} = {say('first')}", f"{key} = exit 3", f"{key} = {say('no')}",
                            f"PostDown = {say('no')}"))
    done = tunnel.call("up", *(["-f"] if foreground else []), "/run/wg0.conf", exit_status=4)
    assert f"{key} failed (exit status 3)" in done.stderr
    assert said(host) == ["first"]
    tunnel.assert_gone()
    assert (host.ip("addr"), host.ip("route"), host.ip("rule")) == before


@pytest.fixture
def guarded(furnished, simplevpn):
    """Starts a tunnel with a kill switch and a PostUp."""
    tunnel = Tunnel(furnished, simplevpn)

    def start(post_up, *flags, exit_status=0):
        tunnel.write(crash.CONFIG.replace("[Peer]", f"PostUp = {post_up}\n[Peer]"))
        tunnel.call("up", "--kill-switch", *flags, "/run/wg0.conf", exit_status=exit_status)
    return tunnel, start


@pytest.mark.parametrize("flags", [[], ["-f"]])
def test_a_failed_post_up_takes_back_the_block_that_the_start_made(guarded, flags):
    tunnel, start = guarded
    before = machine.describe(tunnel.host)
    start("nft list table inet ltun > /run/block; exit 3", *flags, exit_status=4)
    assert "policy drop" in tunnel.host.read("/run/block")
    assert not machine.differences(before, machine.describe(tunnel.host))
    tunnel.assert_gone()


@pytest.mark.parametrize("flags", [[], ["-f"]])
def test_a_failed_post_up_leaves_the_block_that_was_there_before(guarded, flags):
    tunnel, start = guarded
    start("true")
    crash.kill(tunnel.host)
    start("false", *flags, exit_status=4)
    assert "policy drop" in tunnel.host.run("nft", "list", "table", "inet", "ltun").stdout
    tunnel.call("unblock", "wg0")


def test_a_parent_that_is_killed_in_post_up_leaves_no_tunnel(guarded):
    tunnel, start = guarded
    before = machine.describe(tunnel.host)
    start("kill -9 $PPID", exit_status=-signal.SIGKILL)
    wait_until(lambda: not tunnel.host.pids("simplevpn"), what="daemon ended")
    assert not machine.differences(before, machine.describe(tunnel.host))


@pytest.mark.parametrize("key", ["PreUp", "PostUp"])
def test_an_interrupted_start_hook_undoes_the_start(tunnel, host, key):
    tunnel.write(with_hooks(f"{key} = kill -INT $PPID", f"{key} = {say('no')}"))
    done = host.run(tunnel.program, "up", "/run/wg0.conf", check=False)
    assert done.returncode in (-signal.SIGINT, 130)
    wait_until(lambda: not host.pids("simplevpn"), what="daemon ended")
    tunnel.assert_gone()
    assert said(host) == []


def test_a_failed_pre_down_keeps_the_tunnel(tunnel, host):
    tunnel.write(with_hooks("PreDown = false", f"PostDown = {say('post-down')}"))
    tunnel.up()
    done = tunnel.call("down", "/run/wg0.conf", exit_status=1)
    assert "PreDown failed" in done.stderr and "--no-hooks" in done.stderr
    assert tunnel.link_exists() and said(host) == []
    tunnel.call("down", "--no-hooks", "/run/wg0.conf")
    tunnel.assert_gone()


def test_down_by_somebody_who_may_not_runs_no_hooks(tunnel, host):
    need("setpriv")
    tunnel.write(with_hooks(*EVERY))
    host.run("chmod", "644", "/run/wg0.conf")
    tunnel.call("up", "--no-hooks", "/run/wg0.conf")
    host.write(LOG, "", mode=0o666)
    done = host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tunnel.program,
                    "down", "/run/wg0.conf", check=False)
    assert done.returncode == 6 and "sudo" in done.stderr
    assert said(host) == [] and tunnel.link_exists()
    tunnel.call("down", "--no-hooks", "wg0")


def test_a_failed_post_down_is_said_when_all_is_undone(tunnel):
    tunnel.write(with_hooks("PostDown = false"))
    tunnel.up()
    tunnel.call("down", "/run/wg0.conf", exit_status=5)
    tunnel.assert_gone()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_in_the_foreground_a_signal_runs_the_hooks_of_the_end(tunnel, host, signal_number):
    tunnel.write(with_hooks(*EVERY))
    process = tunnel.foreground()
    wait_until(lambda: len(said(host)) == 3, what="hooks of the start")
    process.send_signal(signal_number)
    process.wait(20)
    assert said(host) == ALL_SAID
    tunnel.assert_gone()


def test_down_of_a_tunnel_in_the_foreground_runs_them_once(tunnel, host):
    tunnel.write(with_hooks(*EVERY))
    process = tunnel.foreground()
    wait_until(lambda: len(said(host)) == 3, what="hooks of the start")
    tunnel.call("down", "/run/wg0.conf")
    assert process.wait(20) == 0
    assert said(host) == ALL_SAID


def test_a_daemon_that_is_told_to_end_by_a_signal_runs_no_hooks(tunnel, host):
    tunnel.write(with_hooks(*EVERY))
    tunnel.up()
    host.kill("simplevpn", signal.SIGTERM)
    wait_until(lambda: not host.pids("simplevpn"), what="daemon ended")
    tunnel.assert_gone()
    assert said(host) == ALL_SAID[:3]


def test_down_works_without_the_file(tunnel, host):
    tunnel.up()
    host.run("rm", "/run/wg0.conf")
    tunnel.call("down", "wg0")
    tunnel.assert_gone()


def test_a_hook_may_use_the_tunnel(tunnel, host):
    need("wg")
    tunnel.write(with_hooks("PostUp = wg show %i peers > /run/peers",
                            "PreDown = wg show %i peers >> /run/peers"))
    tunnel.up()
    tunnel.call("down", "/run/wg0.conf")
    assert host.read("/run/peers") == f"{PEER}\n{PEER}\n"


def test_save_config_keeps_comments_and_writes_what_the_tunnel_has(tunnel, host):
    text = with_hooks("# my server", "SaveConfig = true", f"PostUp = {say('up')} # note",
                      "MTU = 1400   # small").replace("ListenPort = 51820\n", "")
    tunnel.write(text)
    host.run("mkdir", "/run/real")
    host.run("mv", "/run/wg0.conf", "/run/real/wg0.conf")
    host.run("ln", "-s", "/run/real/wg0.conf", "/run/wg0.conf")
    tunnel.up()
    port = tunnel.status()["listen_port"]
    assert host.read("/run/wg0.conf") == text, "it is saved at the end"
    tunnel.call("down", "/run/wg0.conf")
    saved = host.read("/run/real/wg0.conf")
    assert f"ListenPort = {port}\n" in saved
    assert saved.replace(f"ListenPort = {port}\n", "") == text
    assert host.run("stat", "-c", "%F", "/run/wg0.conf").stdout.strip() == "symbolic link"
    assert host.run("stat", "-c", "%a", "/run/real/wg0.conf").stdout.strip() == "600"
    assert not host.exists("/run/real/wg0.conf.tmp")


def test_save_wants_a_tunnel_that_runs(tunnel):
    tunnel.call("save", "/run/wg0.conf", exit_status=8)
