"""DNS = of a file, on hosts with an /etc of their own and name servers that remember."""

import pytest

from names import NameServer, own_etc
from program import run

RESOLV_CONF = "# by hand\nnameserver 192.0.2.2\nsearch lan\n"


def look_up(host, name):
    """What programs of the host find."""
    done = host.run("getent", "ahostsv4", name, check=False)
    return {line.split()[0] for line in done.stdout.splitlines()}


def entry(host, path="/etc/resolv.conf"):
    """Type, mode, owner, target and content of a file."""
    about = host.run("stat", "-c", "%F %a %u %g %N", path).stdout
    return about, host.run("cat", path, check=False).stdout


@pytest.fixture
def pair(lab, simplevpn, tmp_path):
    """client and server with a name server outside (192.0.2.2) and one inside (10.9.0.1); their
    files are not up yet. The client's file uses the inside one."""
    server, client = lab.host("server"), lab.host("client")
    lab.veth(server, "192.0.2.2/24", client, "192.0.2.1/24")
    own_etc(client, RESOLV_CONF)
    done = run(simplevpn, "init", "server", "--endpoint", "192.0.2.2:51820", "--net",
               "10.9.0.0/24", "--client", "client.conf", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "client.conf").read_text(encoding="ascii")
    assert "DNS" not in text
    text = text.replace("[Interface]", "[Interface]\nDNS = 10.9.0.1, inside.test", 1)
    (tmp_path / "client.conf").write_text(text, encoding="ascii")
    return client, server


def up(host, simplevpn, tmp_path):
    host.run(simplevpn, "up", tmp_path / f"{host.name}.conf")


def test_programs_ask_inside_while_the_tunnel_is_up_and_outside_otherwise(pair, simplevpn,
                                                                           tmp_path):
    client, server = pair
    names = {f"{name}.test": ["198.51.100.7"] for name in ("before", "after")}
    outside = NameServer(server, "192.0.2.2", names)
    before = entry(client)
    assert look_up(client, "before.test") == {"198.51.100.7"}
    assert outside.asked() == {"before.test"}
    up(server, simplevpn, tmp_path)
    inside = NameServer(server, "10.9.0.1", {"host.inside.test": ["10.9.0.77"]})
    up(client, simplevpn, tmp_path)
    assert look_up(client, "host") == {"10.9.0.77"}
    assert inside.asked() == {"host.inside.test"}
    assert look_up(client, "secret.test") == set()
    assert "secret.test" in inside.asked()
    assert outside.asked() == set()
    client.run(simplevpn, "down", "client")
    assert entry(client) == before
    assert look_up(client, "after.test") == {"198.51.100.7"}
    assert (outside.asked(), inside.asked()) == ({"after.test"}, set())


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "bind", "none"])
def test_whatever_resolv_conf_is_it_is_put_back(pair, simplevpn, tmp_path, kind):
    client, server = pair
    path = "/etc/resolv.conf"
    if kind != "file":
        client.run("rm", path)
    if kind == "link":
        client.write("/run/theirs", RESOLV_CONF, mode=0o600)
        client.run("ln", "-s", "../run/theirs", path)
    elif kind == "dangling":
        client.run("ln", "-s", "/run/nothing", path)
    elif kind == "bind":
        client.write(path, "")
        client.write("/run/theirs", RESOLV_CONF)
        client.run("mount", "--bind", "/run/theirs", path)
    up(server, simplevpn, tmp_path)
    before = client.run("ls", "-l", "--time-style=+", "/etc").stdout
    up(client, simplevpn, tmp_path)
    assert "nameserver 10.9.0.1\n" in client.read(path)
    client.run(simplevpn, "down", "client")
    assert client.run("ls", "-l", "--time-style=+", "/etc").stdout == before
    if kind not in ("none", "dangling"):
        assert client.read(path) == RESOLV_CONF


def test_what_a_dhcp_client_wrote_meanwhile_stays(pair, simplevpn, tmp_path):
    client, _ = pair
    up(client, simplevpn, tmp_path)
    client.write("/etc/resolv.conf", "nameserver 192.0.2.99\n", mode=0o644)
    client.run(simplevpn, "down", "client")
    assert client.read("/etc/resolv.conf") == "nameserver 192.0.2.99\n"


def test_a_file_that_cannot_be_written_stops_the_start_and_says_so(pair, simplevpn, tmp_path):
    client, _ = pair
    client.run("mount", "-o", "remount,bind,ro", "/etc")
    done = client.run(simplevpn, "up", tmp_path / "client.conf", check=False)
    assert done.returncode == 4 and "/etc/resolv.conf" in done.stderr
    assert "read-only file system" in done.stderr and "CAP_NET_ADMIN" not in done.stderr
    assert not client.has_interface("client")
    assert client.read("/etc/resolv.conf") == RESOLV_CONF


def test_a_tool_is_used_where_there_is_one(pair, simplevpn, tmp_path):
    client, _ = pair
    client.run("mkdir", "/run/bin")
    client.write("/run/bin/resolvconf", '#!/bin/sh\necho "$@" >>/run/log\n'
                 '[ "$1" != --version ] || echo openresolv 3.12.0\n'
                 '[ "$1" != -a ] || cat >>/run/log\n', mode=0o755)
    path = "PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    client.run("env", path, simplevpn, "up", tmp_path / "client.conf")
    assert client.read("/etc/resolv.conf") == RESOLV_CONF
    client.run("env", path, simplevpn, "down", "client")
    assert client.read("/run/log").splitlines() == [
        "--version", "-a vpn.client", "search inside.test lan", "nameserver 10.9.0.1",
        "nameserver 192.0.2.2", "-d vpn.client -f"]


def test_a_backend_can_be_chosen(pair, simplevpn, tmp_path):
    client, _ = pair
    client.write("/run/resolvectl", '#!/bin/sh\necho "$@" >>/run/log\n', mode=0o755)
    path = "PATH=/run:/usr/sbin:/usr/bin:/sbin:/bin"
    for chosen in (("--dns-backend", "resolved"), ()):
        wish = "A=B" if chosen else "SIMPLEVPN_DNS_BACKEND=resolved"
        client.run("env", path, wish, simplevpn, "up", *chosen, tmp_path / "client.conf")
        assert client.read("/etc/resolv.conf") == RESOLV_CONF
        client.run("env", path, simplevpn, "down", "client")
        assert client.read("/run/log").splitlines() == [
            "dns client 10.9.0.1", "domain client inside.test", "default-route client no",
            "revert client"]
        client.run("rm", "/run/log")
    client.run(simplevpn, "up", "--dns-backend", "none", tmp_path / "client.conf", check=False)
    assert not client.has_interface("client")
