"""check, strip and save: files by themselves, and against Debian's wg-quick."""

import json
import os
import random

import pytest

from netns import wait_until
from program import CONFIG, PEER, PRIVATE, Tunnel, need, run

QUICK = f"""# a comment
[Interface]
PrivateKey = {PRIVATE} # a secret
  Address = 10.9.0.1/24, fd09::1/64
ListenPort=51820
DNS = 10.9.0.1, home.example
MTU = 1400
Table = off
PreUp = echo a # b
PostUp = echo 'c = d'
\tPreDown=true
PostDown = true
SaveConfig = true
FwMark = 0xca6c

# Ann
[Peer]
# friendly_name = laptop
PublicKey = {PEER}
AllowedIPs = 10.9.0.2/32,fd09::2   \t
PersistentKeepalive = off
"""


def write(path, text, mode=0o600):
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def strip_by_wg_quick(file):
    need("wg-quick")
    if os.geteuid() != 0:
        pytest.skip("wg-quick wants root")
    done = run("wg-quick", "strip", file)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- check ----

def test_check_reads_a_file_and_touches_nothing(simplevpn, tmp_path):
    file = write(tmp_path / "wg0.conf", QUICK)
    before = os.stat(file), os.listdir(tmp_path)
    done = run(simplevpn, "check", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    after = os.stat(file), os.listdir(tmp_path)
    assert (before[0].st_mtime_ns, before[0].st_ino, before[1]) == \
        (after[0].st_mtime_ns, after[0].st_ino, after[1])


@pytest.mark.parametrize("line, column", [
    ("MTU = 1", 7), ("PostUpp = true", 1), ("Table = nosuchtable", 9), ("DNS = 1.2.3", 7),
    ("SaveConfig = perhaps", 14)])
def test_check_names_file_line_and_column(simplevpn, tmp_path, line, column):
    file = write(tmp_path / "wg0.conf", f"[Interface]\nPrivateKey = {PRIVATE}\n{line}\n")
    done = run(simplevpn, "check", file)
    assert done.returncode == 2 and done.stderr.startswith(f"{file}:3:{column}: ")
    error = json.loads(run(simplevpn, "check", file, "--json").stderr)["error"]
    assert (error["code"], error["line"], error["col"]) == ("E_CONF_SYNTAX", 3, column)


def test_check_refuses_what_cannot_be_run(simplevpn, tmp_path):
    file = write(tmp_path / "wg0.conf", "[Interface]\nListenPort = 7\n")
    done = run(simplevpn, "check", file)
    assert done.returncode == 2 and "PrivateKey is missing" in done.stderr


def test_check_warns_of_a_key_file_that_others_may_read(simplevpn, tmp_path):
    for mode, warns in ((0o600, False), (0o640, True), (0o604, True)):
        done = run(simplevpn, "check", write(tmp_path / "wg0.conf", QUICK, mode))
        assert done.returncode == 0 and ("other users may read" in done.stderr) is warns
        assert not warns or "chmod 600" in done.stderr


def test_a_bare_name_means_the_file_in_etc_wireguard(simplevpn, host):
    for command in ("check", "strip", "save", "up"):
        done = host.run(simplevpn, command, "nosuchwg", check=False)
        assert done.returncode == 10 and "/etc/wireguard/nosuchwg.conf" in done.stderr


# ---- strip ----

def test_strip_prints_what_wg_quick_strip_prints(simplevpn, tmp_path):
    file = write(tmp_path / "wg0.conf", QUICK)
    done = run(simplevpn, "strip", file)
    assert done.returncode == 0 and done.stderr == ""
    assert "DNS" not in done.stdout and "Post" not in done.stdout
    assert f"PrivateKey = {PRIVATE} # a secret\nListenPort=51820\nFwMark = 0xca6c\n" in done.stdout
    assert done.stdout + "\n" == strip_by_wg_quick(file), "but for an empty line at the end"


def random_lines(dice):
    keys = ["ListenPort = 7", "mtu=1400", "PostUp = a # b", "Address = 10.9.0.1/24 # c",
            "DNS=10.9.0.1, home", "\tSaveConfig = true  ", "  # note", "", " \t ", "FWMARK = off",
            "Table = off", "preup = echo = #", "#DNS = 1"]
    yield from dice.sample(["", "# top", "## more"], 2)
    yield dice.choice(["[Interface]", "  [interface]  ", "[INTERFACE] # ours"])
    yield from dice.choices(keys, k=dice.randint(0, 8))
    yield f"PrivateKey = {PRIVATE}"
    if dice.random() < 0.7:
        yield from ["", dice.choice(["[Peer]", "[PEER]# p", " [peer]"]), f"PublicKey = {PEER}"]
        yield from dice.choices(["AllowedIPs = 10.0.0.0/8", "# friendly_name = a", "",
                                 "PersistentKeepalive=25"], k=3)


def test_random_files_are_stripped_as_by_wg_quick(simplevpn, tmp_path):
    dice = random.Random(8)
    for _ in range(40):
        text = "\n".join(random_lines(dice)) + dice.choice(["", "\n", "\n\n"])
        file = write(tmp_path / "wg0.conf", text)
        ours = run(simplevpn, "strip", file)
        assert ours.returncode == 0, ours.stderr
        assert ours.stdout.rstrip("\n") == strip_by_wg_quick(file).rstrip("\n"), text


# Where wg-quick 1.0.20210914 and ours differ, by name.
DIFFERENCES = {
    "a section with blanks inside": "[ Interface ]\nMTU = 1400\n",
    "a key with blanks inside": "[Interface]\nM T U = 1400\n",
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_wg_quick_overlooks_is_stripped_too(simplevpn, tmp_path, name):
    file = write(tmp_path / "wg0.conf", DIFFERENCES[name])
    assert "1400" not in run(simplevpn, "strip", file).stdout
    assert "1400" in strip_by_wg_quick(file), "otherwise it is no difference any more"


def test_strip_refuses_a_wrong_file(simplevpn, tmp_path):
    done = run(simplevpn, "strip", write(tmp_path / "wg0.conf", "[Interface]\nMTU = x\n"))
    assert done.returncode == 2 and done.stdout == "" and ":2:7: " in done.stderr


# ---- save ----

def test_two_saves_at_once_leave_a_whole_file(simplevpn, host):
    tunnel = Tunnel(host, simplevpn)
    tunnel.write(CONFIG.replace("ListenPort = 51820\n", ""))
    tunnel.up()
    saves = [host.popen(simplevpn, "save", "/run/wg0.conf") for _ in range(4)]
    assert [one.wait(20) for one in saves] == [0, 0, 0, 0]
    port = tunnel.status()["listen_port"]
    assert f"ListenPort = {port}\n" in host.read("/run/wg0.conf")
    tunnel.call("down", "wg0")
    tunnel.call("check", "/run/wg0.conf")


def test_a_full_disk_leaves_the_file_as_it_was(simplevpn, host):
    tunnel = Tunnel(host, simplevpn)
    host.run("mkdir", "/run/small")
    host.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/run/small")
    text = CONFIG.replace("ListenPort = 51820\n", "") + "# " + "x" * 20000 + "\n"
    host.write("/run/small/wg0.conf", text)
    host.write("/run/small/ballast", "x" * 36864)
    tunnel.call("up", "/run/small/wg0.conf")
    done = tunnel.call("save", "/run/small/wg0.conf", exit_status=1)
    assert "cannot write" in done.stderr
    assert host.read("/run/small/wg0.conf") == text
    assert host.run("ls", "/run/small").stdout.split() == ["ballast", "wg0.conf"]
    tunnel.call("down", "/run/small/wg0.conf")


# ---- what is read, against Debian's wg ----

OTHER = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
READ = {
    "plain": QUICK,
    "case, blanks, comments": f"[INTERFACE] # x\nprivate key = {PRIVATE}#y\nLISTENPORT=5 1 8 2 0\n"
                                 f"[ peer ]\npublickey={PEER}\nallowed ips = 10.0.0.0 / 8\n",
    "marks and services":
        f"[Interface]\nPrivateKey={PRIVATE}\nListenPort = ntp\nFwMark = 0xFF\n",
    "mark off": f"[Interface]\nPrivateKey={PRIVATE}\nListenPort = 7000\nFwMark = OFF\n",
    "the last one counts": f"[Interface]\nPrivateKey={OTHER}\nListenPort=1\nListenPort=7001\n"
                           f"PrivateKey={PRIVATE}\nFwMark=1\nFwMark=2\n",
    "prefixes": f"[Interface]\nPrivateKey={PRIVATE}\nListenPort=7002\n[Peer]\nPublicKey={PEER}\n"
                "AllowedIPs=10.0.0.1/8,10.0.0.0/8\nAllowedIPs = fd00::1/64 , 192.0.2.7\n",
    "a prefix that moves": f"[Interface]\nPrivateKey={PRIVATE}\nListenPort=7003\n[Peer]\n"
                           f"PublicKey={PEER}\nAllowedIPs=10.7.0.0/16,10.8.0.0/16\n[Peer]\n"
                           f"PublicKey={OTHER}\nAllowedIPs=10.7.0.0/16\nPersistentKeepalive=9\n",
    "endpoints": f"[Interface]\nPrivateKey={PRIVATE}\nListenPort=7004\n[Peer]\nPublicKey={PEER}\n"
                 "Endpoint=192.0.2.7:domain\nPersistentKeepalive=0\n[Peer]\n"
                 f"PublicKey={OTHER}\nEndpoint=[2001:db8::7]:65535\nPresharedKey={PRIVATE}\n",
}


def showconf(host, name):
    """What `wg showconf` says, without the order of peers and prefixes."""
    sections = host.run("wg", "showconf", name).stdout.split("\n\n")
    lines = [[line.split(" = ") for line in section.strip().split("\n")] for section in sections]
    return sorted([sorted([key, sorted(value[0].split(", "))] for key, *value in section if value)
                   for section in lines if section != [[""]]])


@pytest.mark.parametrize("name", READ)
def test_files_are_read_as_wg_reads_them(simplevpn, host, name):
    for program in ("wg", "wireguard-go"):
        need(program)
    tunnel = Tunnel(host, simplevpn)
    tunnel.write(READ[name])
    host.write("/run/stripped.conf", host.run(simplevpn, "strip", "/run/wg0.conf").stdout)
    host.run("wireguard-go", "theirs")
    host.run("wg", "setconf", "theirs", "/run/stripped.conf")
    theirs = showconf(host, "theirs")
    host.run("rm", "/run/wireguard/theirs.sock")
    wait_until(lambda: not host.pids("wireguard-go"), what="wireguard-go ended")
    host.write("/run/wg0.conf", READ[name].replace("DNS = 10.9.0.1, home.example\n", ""))
    tunnel.call("up", "--no-hooks", "/run/wg0.conf")
    assert showconf(host, "wg0") == theirs
    tunnel.call("down", "--no-hooks", "wg0")


def test_what_is_no_file_is_said_to_be_none(simplevpn, tmp_path):
    (tmp_path / "wg0.conf").mkdir()
    done = run(simplevpn, "check", tmp_path / "wg0.conf")
    assert done.returncode == 2
    assert done.stderr == f"simplevpn: cannot read {tmp_path}/wg0.conf: " \
                          "this is not a regular file\n"


# ---- interfaces that the command line names ----

@pytest.mark.parametrize("command, option", [("server", "--nat"), ("client", "--share")])
def test_an_interface_that_is_not_there_is_named(host, simplevpn, command, option):
    tunnel = Tunnel(host, simplevpn)
    done = tunnel.call(command, option, "eth9", "/run/wg0.conf", exit_status=2)
    assert done.stderr == "simplevpn: there is no interface 'eth9'\n" \
                          "hint: ip link shows which there are\n"
    assert not tunnel.link_exists()
