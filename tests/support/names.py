"""Name resolution of hosts: an /etc of their own, and name servers that remember who asked."""

import json
import pathlib
import subprocess

SERVER = pathlib.Path(__file__).with_name("nameserver.py")


def own_etc(host, resolv_conf):
    """Gives a host an /etc of its own, in which a test may write as it likes."""
    host.run("mkdir", "-p", "/run/etc/upper", "/run/etc/work")
    host.run("mount", "-t", "overlay", "overlay", "-o",
             "lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work", "/etc")
    assert "overlay" in host.run("stat", "-f", "-c", "%T", "/etc").stdout
    host.run("rm", "-f", "/etc/resolv.conf")
    host.write("/etc/resolv.conf", resolv_conf, mode=0o644)


class NameServer:
    """A name server on one host; `names` may be changed while it runs."""

    def __init__(self, host, address, names):
        self.host = host
        self.folder = f"/run/names-{address.replace(':', '_')}"
        host.run("mkdir", "-p", self.folder)
        self.tell(names)
        self.process = host.popen("/usr/bin/python3", "-B", SERVER, address, self.folder,
                                  stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, names):
        self.host.write(f"{self.folder}/names.new", json.dumps(names))
        self.host.run("mv", f"{self.folder}/names.new", f"{self.folder}/names")

    def asked(self):
        """The names that somebody asked for since the last call."""
        path = f"{self.folder}/asked"
        text = self.host.run("sh", "-c", f"cat {path} 2>/dev/null; rm -f {path}").stdout
        return set(text.split())
