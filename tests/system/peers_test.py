"""`peer`: the clients of a server, in its file and in the tunnel that runs."""

import base64
import json
import pathlib
import re
import shlex
import socket
import stat
import subprocess
import threading

import pytest

import qrcode
import schema
import traffic
from netns import wait_until
from program import run

ROOT = pathlib.Path(__file__).resolve().parents[2]


def schema_of(name):
    return json.loads((ROOT / "docs" / "schema" / name).read_text(encoding="utf-8"))


@pytest.fixture
def server(simplevpn, tmp_path):
    """A folder with a server's file, and what runs simplevpn there."""
    def call(*arguments, exit_status=0):
        done = run(simplevpn, *arguments, cwd=tmp_path)
        assert done.returncode == exit_status, done.stderr
        return done
    call("init", "server", "--endpoint", "192.0.2.1:51820", "--net", "10.9.0.0/29",
         "--net", "fd09::/64")
    return tmp_path, call


def content(folder, name="server.conf"):
    return (folder / name).read_text(encoding="ascii")


def test_a_client_is_added_and_its_key_is_nowhere_else(server, simplevpn):
    folder, call = server
    (folder / "server.conf").write_text("# mine\n" + content(folder), encoding="ascii")
    client = call("peer", "add", "phone", "--psk").stdout
    secret = re.search(r"PrivateKey = (\S+)", client).group(1)
    preshared = re.search(r"PresharedKey = (\S+)", client).group(1)
    assert "Address = 10.9.0.2/29, fd09::2/64" in client
    assert "Endpoint = 192.0.2.1:51820" in client
    assert "AllowedIPs = 10.9.0.0/29, fd09::/64" in client
    text = content(folder)
    assert text.startswith("# mine\n") and secret not in text and preshared in text
    public = run(simplevpn, "pubkey", input=secret).stdout.strip()
    assert f"PublicKey = {public}" in text and "friendly_name = phone" in text
    assert re.search(r"AllowedIPs *= *10\.9\.0\.2/32, *fd09::2/128", text)
    own = re.search(r"PrivateKey = (\S+)", text).group(1)
    assert f"PublicKey = {run(simplevpn, 'pubkey', input=own).stdout.strip()}" in client
    assert stat.S_IMODE((folder / "server.conf").stat().st_mode) == 0o600


@pytest.mark.parametrize("page", ["README.md", "docs/cli.md"])
def test_the_phone_of_the_documentation_sends_everything_through_the_tunnel(server, page):
    _, call = server
    text = (ROOT / page).read_text(encoding="utf-8")
    words = shlex.split(re.search(r"simplevpn (peer add phone --qr .*)", text).group(1),
                        comments=True)
    done = call(*(word for word in words if word != "--qr"))
    assert "AllowedIPs = 0.0.0.0/0, ::/0\n" in done.stdout and "DNS = 9.9.9.9\n" in done.stdout
    assert "through the tunnel goes 0.0.0.0/0, ::/0\n" in done.stderr


def test_what_goes_through_the_tunnel_is_said(server):
    _, call = server
    assert "through the tunnel goes 10.9.0.0/29, fd09::/64; for everything: " \
           "--allowed-ips 0.0.0.0/0,::/0 --dns ADDRESS\n" in call("peer", "add", "a").stderr
    assert "; names may be asked outside: --dns ADDRESS\n" in \
        call("peer", "add", "b", "--allowed-ips", "0.0.0.0/0").stderr


def test_addresses_are_given_once_until_there_are_none(server):
    folder, call = server
    given = [re.search(r"Address = (\S+)/29", call("peer", "add", f"c{i}").stdout).group(1)
             for i in range(5)]
    assert given == [f"10.9.0.{2 + i}" for i in range(5)]
    before = content(folder)
    assert "free" in call("peer", "add", "late", exit_status=1).stderr
    assert content(folder) == before
    call("peer", "rm", "c1")
    assert "Address = 10.9.0.3/29" in call("peer", "add", "again").stdout


@pytest.mark.parametrize("own, given, networks", [
    ("10.9.0.1/24, 10.9.0.2/24", "10.9.0.3/24", "10.9.0.0/24"),
    ("10.9.0.1/24, 10.9.0.2/32, fd09::1/64, fd09::2/64", "10.9.0.3/24, fd09::3/64",
     "10.9.0.0/24, fd09::/64"),
    ("10.9.0.1/24, 10.9.1.1/16, 10.8.0.1/24", "10.9.0.2/16, 10.8.0.2/24",
     "10.9.0.0/16, 10.8.0.0/24"),
])
def test_one_address_is_given_for_each_network_of_the_server(server, own, given, networks):
    folder, call = server
    text = re.sub("^Address = .*", f"Address = {own}", content(folder), flags=re.M)
    (folder / "server.conf").write_text(text, encoding="ascii")
    client = call("peer", "add", "phone").stdout
    assert re.search("^Address = (.*)", client, re.M).group(1) == given
    assert re.search("^AllowedIPs = (.*)", client, re.M).group(1) == networks


def test_names_and_keys_are_unique(server):
    folder, call = server
    call("peer", "add", "phone")
    before = content(folder)
    assert "phone" in call("peer", "add", "phone", exit_status=1).stderr
    call("peer", "add", "", exit_status=2)
    call("peer", "rename", "nobody", "somebody", exit_status=10)
    call("peer", "rm", "nobody", exit_status=10)
    assert content(folder) == before


def test_peers_are_renamed_removed_and_listed(server):
    folder, call = server
    before = content(folder)
    call("peer", "add", "phone")
    call("peer", "rename", "phone", "mobile")
    listed = json.loads(call("peer", "list", "--json").stdout)
    schema.check(listed, schema_of("peers.json"))
    assert [peer["name"] for peer in listed["peers"]] == ["mobile"]
    assert call("peer", "list").stdout.startswith("mobile\t")
    call("peer", "rm", listed["peers"][0]["public_key"])
    assert content(folder).strip() == before.strip()


def test_a_client_may_bring_its_own_key(server, simplevpn):
    folder, call = server
    public = run(simplevpn, "pubkey", input=run(simplevpn, "genkey").stdout).stdout.strip()
    done = call("peer", "add", "laptop", "--public-key", public)
    assert public in content(folder) and not re.search("^PrivateKey", done.stdout, re.M)
    call("peer", "add", "other", "--public-key", public, exit_status=1)
    call("peer", "add", "other", "--public-key", "short", exit_status=2)


def test_the_configuration_goes_to_a_file_that_did_not_exist(server):
    folder, call = server
    assert call("peer", "add", "phone", "--out", "phone.conf").stdout == ""
    assert stat.S_IMODE((folder / "phone.conf").stat().st_mode) == 0o600
    before = content(folder)
    call("peer", "add", "tablet", "--out", "phone.conf", exit_status=1)
    assert content(folder) == before, "nothing is added that could not be handed out"


@pytest.mark.parametrize("form", [[], ["--qr"], ["--json"]])
def test_a_key_that_could_not_be_printed_is_said_to_be_lost(server, simplevpn, form):
    folder, _ = server
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([simplevpn, "peer", "add", "phone", *form], cwd=folder, stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "peer rm phone -c server.conf" in done.stderr
    assert "friendly_name = phone" in content(folder)


def test_json_follows_its_schema(server):
    _, call = server
    for more in ([], ["--out", "x.conf"]):
        document = json.loads(call("peer", "add", f"p{len(more)}", "--json", *more).stdout)
        schema.check(document, schema_of("peer.json"))
        assert (document["config"] is None) == bool(more)


def test_a_phone_can_read_the_code(server):
    if not qrcode.available():
        pytest.skip("libzbar is not installed")
    _, call = server
    text = qrcode.read(call("peer", "add", "phone", "--qr=ascii", "--allowed-ips", "0.0.0.0/0",
                            "--dns", "10.9.0.1").stdout)
    assert text.startswith("[Interface]\nPrivateKey = ") and "AllowedIPs = 0.0.0.0/0\n" in text
    assert "DNS = 10.9.0.1\n" in text


def test_codes_have_three_forms(server):
    _, call = server
    small = call("peer", "add", "a", "--qr").stdout
    large = call("peer", "add", "b", "--qr=large").stdout
    assert "▀" in small and "\033[107m" in large and "▀" not in large
    assert "PrivateKey" not in small + large
    call("peer", "add", "c", "--qr=huge", exit_status=2)


def test_without_an_endpoint_the_server_must_be_told(simplevpn, tmp_path):
    run(simplevpn, "init", "server", cwd=tmp_path)
    before = content(tmp_path)
    done = run(simplevpn, "peer", "add", "phone", cwd=tmp_path)
    assert done.returncode == 2 and "--endpoint" in done.stderr and content(tmp_path) == before
    run(simplevpn, "peer", "add", "phone", "--endpoint", "h:1", cwd=tmp_path)
    assert "friendly_name = phone" in content(tmp_path)


def test_many_at_once_lose_none(server, simplevpn):
    folder, call = server
    text = content(folder).replace("/29", "/24")
    (folder / "server.conf").write_text(text, encoding="ascii")
    running = [subprocess.Popen([simplevpn, "-q", "peer", "add", f"c{i}"], cwd=folder,
                                stdout=subprocess.DEVNULL) for i in range(12)]
    assert [each.wait(timeout=30) for each in running] == [0] * 12
    peers = json.loads(call("peer", "list", "--json").stdout)["peers"]
    assert len({peer["name"] for peer in peers}) == 12
    assert len({tuple(peer["allowed_ips"]) for peer in peers}) == 12


# ---- with a tunnel ----

FILE = "/run/server.conf"


@pytest.fixture
def sides(lab):
    server, client = lab.host("srv"), lab.host("cli")
    lab.veth(server, ["192.0.2.1/24"], client, ["192.0.2.2/24"])
    return server, client


def start(host, simplevpn, *command):
    process = host.popen(simplevpn, *command, stderr=subprocess.DEVNULL)
    name = pathlib.Path(command[-1]).stem
    wait_until(lambda: host.run(simplevpn, "status", name, check=False).returncode == 0 or
               process.poll() is not None, what=f"{name} is up")
    assert process.poll() is None
    return process


def test_a_server_and_a_client_in_three_commands(sides, simplevpn):
    server, client = sides
    server.run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "-o", FILE)
    server.run(simplevpn, "peer", "add", "phone", "-c", FILE, "--out", "/run/phone.conf")
    start(server, simplevpn, "server", FILE)
    client.write("/run/phone.conf", server.read("/run/phone.conf"))
    start(client, simplevpn, "client", "/run/phone.conf")
    assert traffic.ping(client, "10.9.0.1", count=3).lost == ()


def test_a_running_tunnel_follows_and_keeps_its_sessions(sides, simplevpn):
    server, client = sides
    def peer(*arguments):
        return server.run(simplevpn, "peer", *arguments, "-c", FILE).stdout
    server.run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "-o", FILE)
    client.write("/run/first.conf", peer("add", "first"))
    start(server, simplevpn, "up", "-f", FILE)
    process = start(client, simplevpn, "up", "-f", "/run/first.conf")
    assert traffic.ping(client, "10.9.0.1", count=1).lost == ()

    def status():
        shown = json.loads(server.run(simplevpn, "status", "server", "--json").stdout)["tunnels"][0]
        return {each["name"]: each for each in shown["peers"]}
    before = status()["first"]["latest_handshake"]
    second = peer("add", "second", "--psk")
    assert status()["second"]["has_preshared_key"] is True
    peer("rename", "first", "one")
    after = status()
    assert set(after) == {"one", "second"} and after["one"]["latest_handshake"] == before
    assert traffic.ping(client, "10.9.0.1", count=1).lost == ()
    assert status()["one"]["latest_handshake"] == before, "the session was kept"

    secret = re.search(r"PrivateKey = (\S+)", second).group(1)
    for place in ("/run", "/var/lib/simplevpn"):  # files, state, journal, logs
        assert server.run("grep", "-rF", "-D", "skip", secret, place, check=False).returncode == 1

    process.terminate()
    process.wait(timeout=5)
    client.write("/run/second.conf", second)
    start(client, simplevpn, "up", "-f", "/run/second.conf")
    assert traffic.ping(client, "10.9.0.1", count=1).lost == ()
    peer("rm", "one")
    assert set(status()) == {"second"}


def test_a_bare_name_means_the_file_that_the_tunnel_was_started_from(host, simplevpn):
    other = "/etc/wireguard/server.conf"
    host.run("mkdir", "-p", "/etc/wireguard")
    for path in (FILE, other):
        host.run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "-o", path)
    before = host.read(other)
    call = lambda *words: host.run(simplevpn, "peer", *words, "-c", "server").stdout
    host.run(simplevpn, "up", FILE)
    call("add", "phone")
    call("rename", "phone", "mobile")
    assert "friendly_name = mobile" in host.read(FILE) and host.read(other) == before
    shown = json.loads(host.run(simplevpn, "status", "server", "--json").stdout)["tunnels"][0]
    assert [peer["name"] for peer in shown["peers"]] == ["mobile"]
    assert call("list").startswith("mobile\t")
    call("rm", "mobile")
    host.run(simplevpn, "down", "server")
    call("add", "later")
    assert "later" in host.read(other) and "later" not in host.read(FILE)


class Refusing:
    """A daemon of the server's file that answers questions and obeys nothing."""

    def __init__(self, host, private):
        self.asked = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(f"/proc/{host.pid}/root/run/wireguard/server.sock")
        self._socket.listen()
        self._private = base64.b64decode(private).hex()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                request = connection.makefile("rb").readline().decode()
                self.asked.append(request.strip())
                answer = f"private_key={self._private}\nerrno=0\n\n"
                connection.sendall((answer if request == "get=1\n" else "errno=22\n\n").encode())
                connection.shutdown(socket.SHUT_WR)
                connection.makefile("rb").read()


CHANGES = {"add": ("second",), "rm": ("first",), "rename": ("first", "one")}


def test_what_the_tunnel_refuses_is_not_in_the_file_either(host, simplevpn):
    host.run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "-o", FILE)
    host.run(simplevpn, "peer", "add", "first", "-c", FILE)
    before = host.read(FILE)
    private = re.search(r"PrivateKey = (\S+)", before).group(1)
    with Refusing(host, private) as daemon:
        for change, names in CHANGES.items():
            done = host.run(simplevpn, "peer", change, *names, "-c", FILE, check=False)
            assert done.returncode == 1 and f"{FILE} is as it was" in done.stderr, done.stderr
            assert host.read(FILE) == before and "PrivateKey" not in done.stdout
        assert daemon.asked.count("set=1") == len(CHANGES)
        out = host.run(simplevpn, "peer", "add", "x", "-c", FILE, "--out", "/run/x", check=False)
        assert out.returncode == 1 and not host.exists("/run/x")


def test_what_the_file_refuses_is_not_in_the_tunnel_either(host, simplevpn):
    host.run("mkdir", "/run/locked")
    path = "/run/locked/server.conf"
    host.run(simplevpn, "init", "server", "--endpoint", "192.0.2.1:51820", "-o", path)
    host.run(simplevpn, "peer", "add", "first", "-c", path)
    start(host, simplevpn, "up", "-f", path)
    status = lambda: [peer["name"] for peer in json.loads(
        host.run(simplevpn, "status", "server", "--json").stdout)["tunnels"][0]["peers"]]
    host.run("mount", "--bind", "/run/locked", "/run/locked")
    host.run("mount", "-o", "remount,bind,ro", "/run/locked")
    for change, names in CHANGES.items():
        done = host.run(simplevpn, "peer", change, *names, "-c", path, check=False)
        assert done.returncode != 0 and done.stdout == "" and status() == ["first"]
