"""The program that README.md shows does what the page says."""

import pathlib
import subprocess

import netns
import pytest

OUTSIDE = ("192.0.2.1", "192.0.2.2")
INSIDE = ("10.9.0.1", "10.9.0.2")


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True,
                          check=True).stdout.strip()


@pytest.fixture
def program(simplevpn):
    path = pathlib.Path(simplevpn).parent / "docs_readme_1"
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return path


def start(host, program, private_key, peer_key, peer_address, inside):
    """Runs the program and gives its interface an address."""
    process = host.popen(program, peer_key, peer_address, stdin=subprocess.PIPE)
    process.stdin.write(private_key)
    process.stdin.close()
    netns.wait_until(lambda: "tun0" in host.ip("-o", "link"), what="tun0")
    host.ip("address", "add", f"{inside}/24", "dev", "tun0")
    host.ip("link", "set", "tun0", "up", "mtu", "1420")


def test_the_program_of_the_readme_carries_pings(simplevpn, program, lab):
    hosts = lab.host("left"), lab.host("right")
    lab.veth(hosts[0], f"{OUTSIDE[0]}/24", hosts[1], f"{OUTSIDE[1]}/24")
    private = [run(simplevpn, "genkey") for _ in hosts]
    public = [run(simplevpn, "pubkey", text=key) for key in private]
    for here, there in ((0, 1), (1, 0)):
        start(hosts[here], program, private[here], public[there], OUTSIDE[there], INSIDE[here])
    hosts[0].run("ping", "-c3", "-i0.2", "-W5", INSIDE[1])
    hosts[1].run("ping", "-c3", "-i0.2", "-W5", INSIDE[0])


def test_the_program_of_the_readme_says_what_is_wrong(simplevpn, program):
    key = run(simplevpn, "pubkey", text=run(simplevpn, "genkey"))
    done = subprocess.run([program, "not a key", OUTSIDE[0]], input=key, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert "key" in done.stderr
