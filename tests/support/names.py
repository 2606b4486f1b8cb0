"""Name resolution of hosts: an /etc of their own, and name servers that remember who asked."""

import json
import pathlib
import subprocess

SERVER = pathlib.Path(__file__).with_name("nameserver.py")


def own_etc(host, resolv_conf):
    """Gives a host a resolv.conf that is a file, as on a machine without a name service."""
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
