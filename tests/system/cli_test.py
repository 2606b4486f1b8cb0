"""simplevpn's commands without a tunnel: keys, files, errors, exit codes."""

import json
import os
import pathlib
import re
import stat
import subprocess

import pytest

from program import CONFIG, PEER, PRIVATE, need, run

KEY = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


# ---- keys ----

def test_keys_are_those_of_wg(simplevpn):
    need("wg")
    for key in (run(simplevpn, "genkey").stdout, run("wg", "genkey").stdout):
        ours = run(simplevpn, "pubkey", input=key)
        assert ours.returncode == 0 and KEY.fullmatch(ours.stdout.strip())
        assert ours.stdout == run("wg", "pubkey", input=key).stdout


def test_keys_are_new_each_time(simplevpn):
    for command in ("genkey", "genpsk"):
        keys = {run(simplevpn, command).stdout.strip() for _ in range(5)}
        assert len(keys) == 5 and all(KEY.fullmatch(key) for key in keys)


@pytest.mark.parametrize("text", ["", "abc", PRIVATE[:-1], PRIVATE + "x", PRIVATE[:-2] + "l=",
                                  "x" * 5000])
def test_pubkey_refuses_what_is_no_key_and_does_not_repeat_it(simplevpn, text):
    done = run(simplevpn, "pubkey", input=text)
    assert done.returncode == 2 and done.stdout == ""
    assert len(text) < 4 or text not in done.stderr


def test_genkey_warns_when_others_could_read_the_file(simplevpn, tmp_path):
    for mode, warns in ((0o644, True), (0o600, False)):
        with open(os.open(tmp_path / f"{mode}", os.O_CREAT | os.O_WRONLY, mode), "w",
                  encoding="ascii") as file:
            os.fchmod(file.fileno(), mode)
            done = subprocess.run([simplevpn, "genkey"], stdout=file, stderr=subprocess.PIPE,
                                  text=True, check=True)
        assert ("warning" in done.stderr) is warns


def test_version_names_program_library_and_cipher(simplevpn):
    text = run(simplevpn, "version").stdout
    assert re.fullmatch(r"simplevpn \d+\.\d+\.\d+ \(libtunnel \d+\.\d+\.\d+, \S+\)\n", text)
    document = json.loads(run(simplevpn, "version", "--json").stdout)
    assert document["schema"] == "simplevpn.version/1" and document["libtunnel"] in text


# ---- init ----

def test_init_writes_a_private_file_once(simplevpn, tmp_path):
    file = tmp_path / "wg0.conf"
    done = run(simplevpn, "init", "server", "--endpoint", "vpn.example.org:4500", "-o", file)
    assert done.returncode == 0 and done.stdout == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="ascii")
    assert "ListenPort = 4500" in text and "Address = 10.9.0.1/24" in text
    again = run(simplevpn, "init", "server", "-o", file)
    assert again.returncode == 1 and "exists" in again.stderr
    assert file.read_text(encoding="ascii") == text


def test_init_does_not_write_through_a_symlink(simplevpn, tmp_path):
    (tmp_path / "wg0.conf").symlink_to(tmp_path / "victim.conf")
    assert run(simplevpn, "init", "server", "-o", tmp_path / "wg0.conf").returncode == 1
    assert not (tmp_path / "victim.conf").exists()


def test_init_prints_only_when_asked(simplevpn, tmp_path):
    done = run(simplevpn, "init", "client", "--server-key", PEER, "--endpoint",
               "[2001:db8::1]:51820", "--address", "10.9.0.7/24", "--address", "fd09::7/64",
               "-o", "-", cwd=tmp_path)
    assert done.returncode == 0 and not list(tmp_path.iterdir())
    assert "Endpoint = [2001:db8::1]:51820" in done.stdout
    assert "AllowedIPs = 10.9.0.0/24, fd09::/64" in done.stdout
    secret = re.search(r"PrivateKey = (\S+)", done.stdout).group(1)
    public = run(simplevpn, "pubkey", input=secret).stdout.strip()
    assert f"PublicKey = {public}\nAllowedIPs = 10.9.0.7/32, fd09::7/128" in done.stderr
    assert secret not in done.stderr


def test_init_server_prints_the_command_for_the_client(simplevpn, tmp_path):
    server = run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820",
                 "--net", "10.5.0.0/16", cwd=tmp_path)
    command = re.search(r"^ *simplevpn (init client .*)$", server.stderr, re.M).group(1)
    client = run(simplevpn, *command.split(), cwd=tmp_path)
    assert client.returncode == 0
    text = (tmp_path / "client.conf").read_text(encoding="ascii")
    assert "Address = 10.5.0.2/16" in text and "Endpoint = 192.0.2.1:51820" in text


def test_init_writes_both_files_of_a_pair_or_none(simplevpn, tmp_path):
    command = [simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "--client", "c.conf",
               "-o", "s.conf"]
    (tmp_path / "c.conf").write_text("mine", encoding="ascii")
    assert run(*command, cwd=tmp_path).returncode == 1
    assert not (tmp_path / "s.conf").exists()
    assert (tmp_path / "c.conf").read_text(encoding="ascii") == "mine"
    (tmp_path / "c.conf").unlink()
    assert run(*command, cwd=tmp_path).returncode == 0
    texts = [(tmp_path / name).read_text(encoding="ascii") for name in ("s.conf", "c.conf")]
    preshared = {re.search(r"PresharedKey = (\S+)", text).group(1) for text in texts}
    assert len(preshared) == 1


@pytest.mark.parametrize("arguments", [
    ["server", "--net", "10.9.0.0/33"], ["server", "--net", "10.9.0.0/31"],
    ["server", "--net", "banana"], ["server", "--endpoint", "host"],
    ["server", "--endpoint", "host:0"], ["server", "--endpoint", "host:65536"],
    ["server", "--endpoint", "ho st:1"], ["server", "--endpoint", "2001:db8::1:51820"],
    ["server", "--client", "c.conf"], ["server", "-o", "a-name-that-is-too-long.conf"],
    ["client", "--endpoint", "host:1"], ["client", "--server-key", "short", "--endpoint", "h:1"],
])
def test_init_refuses_wrong_arguments_and_writes_nothing(simplevpn, tmp_path, arguments):
    done = run(simplevpn, "init", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr
    assert not list(tmp_path.iterdir())


# ---- errors ----

@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense", "version"], ["up"],
                                       ["down"], ["init"], ["client", "--nat", "eth0", "x.conf"],
                                       ["status", "--color", "sometimes"]])
def test_wrong_usage_is_exit_2_with_a_sentence(simplevpn, arguments):
    done = run(simplevpn, *arguments)
    assert done.returncode == 2 and done.stdout == "" and "hint:" in done.stderr
    error = json.loads(run(simplevpn, *arguments, "--json").stderr)["error"]
    assert error["code"] == "E_USAGE" and error["message"]


def test_help_goes_to_standard_output(simplevpn):
    for arguments in (["--help"], ["up", "--help"], ["init", "server", "--help"]):
        done = run(simplevpn, *arguments)
        assert done.returncode == 0 and "Usage:" in done.stdout and done.stderr == ""


BAD_LINES = [
    ("PrivateKey = abc", 2, 14, None), ("Privatekee = x", 2, 1, "PrivateKey"),
    ("ListenPort = 65536", 2, 14, None), ("MTU = -1", 2, 7, None),
    ("Address = 10.9.0.1/33", 2, 20, None), ("no equals sign", 2, 1, None),
]


@pytest.mark.parametrize("line, number, column, meant", BAD_LINES)
def test_a_configuration_error_shows_the_place(simplevpn, tmp_path, line, number, column, meant):
    file = tmp_path / "wg0.conf"
    file.write_text(f"[Interface]\n{line}\n", encoding="ascii")
    done = run(simplevpn, "up", "-f", file)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"{file}:{number}:{column}: ")
    assert re.search(r"^ *\^", done.stderr, re.M), "a caret"
    assert meant is None or f"did you mean '{meant}'" in done.stderr
    error = json.loads(run(simplevpn, "up", "-f", file, "--json").stderr)["error"]
    assert (error["code"], error["file"]) == ("E_CONF_SYNTAX", str(file))
    assert (error["line"], error["col"]) == (number, column)


def test_a_wrong_key_is_not_repeated(simplevpn, tmp_path):
    file = tmp_path / "wg0.conf"
    secret = PRIVATE[:-2] + "!!"
    for key in ("PrivateKey", "PresharedKey", "PrivteKey"):
        file.write_text(f"[Interface]\n[Peer]\n{key} = {secret}\n", encoding="ascii")
        done = run(simplevpn, "up", "-f", file)
        assert done.returncode == 2 and secret[:12] not in done.stderr


def test_files_that_are_not_there(simplevpn, tmp_path):
    assert run(simplevpn, "up", tmp_path / "none.conf").returncode == 2
    done = run(simplevpn, "up", "nosuchtunnel")
    assert done.returncode == 10 and "/etc/wireguard/nosuchtunnel.conf" in done.stderr
    assert run(simplevpn, "up", "-f", tmp_path).returncode == 2


def test_called_by_another_name_it_is_that_command(simplevpn, tmp_path):
    for name in ("client", "server"):
        link = pathlib.Path(f"{simplevpn}-{name}")
        assert link.is_symlink()
        done = run(link, tmp_path / "none.conf")
        assert done.returncode == 2 and "none.conf" in done.stderr


@pytest.mark.parametrize("words, message, hint", [
    (["upp", "wg0"], "there is no command upp", "did you mean up?"),
    (["-q", "frobnicate"], "there is no command frobnicate", "simplevpn --help, or"),
    (["peer", "ad", "phone"], "there is no command ad", "did you mean add?"),
    (["client", "wg0.conf", "--killswitch"], "not expected: --killswitch",
     "did you mean --kill-switch?"),
    (["status", "--chek=live"], "not expected: --chek=live", "did you mean --check?"),
    (["status", "--jsn"], "not expected: --jsn", "did you mean --json?"),
    ([], "A subcommand is required", "simplevpn --help, or"),
])
def test_a_mistyped_word_is_named_with_what_may_be_meant(simplevpn, words, message, hint):
    done = run(simplevpn, *words)
    assert done.returncode == 2 and message in done.stderr and f"\nhint: {hint}" in done.stderr
