"""Endpoints that are names: a mistyped one is named wherever one looks."""

import json
import re
import subprocess

import checkup
from netns import wait_until
from program import CONFIG, Tunnel


def test_a_name_without_an_address_is_named_wherever_one_looks(host, simplevpn):
    tunnel = Tunnel(host, simplevpn)
    host.replace_file("/etc/resolv.conf", "")
    host.replace_file("/etc/hosts", "192.0.2.9 server.test\n")
    tunnel.write(CONFIG.replace("[Peer]", "[Peer]\nEndpoint = sever.test:4500"))
    assert re.search(r"warning: no address of sever\.test: \w.*\n", tunnel.up().stderr)
    assert tunnel.status()["peers"][0]["not_resolved"].startswith("sever.test: ")
    assert "hint: no address of sever.test: " in tunnel.call("status", "wg0").stdout
    found = checkup.complaints(host, tunnel.program, "wg0", exit_status=7)
    assert found["endpoint"]["message"].startswith("sever.test of laptop has no address: ")
    assert found["endpoint"]["fix"] == "getent ahosts sever.test" and "silence" not in found
    with host.popen(tunnel.program, "events", "--json", "--since", "all",
                    stdout=subprocess.PIPE) as events:
        wait_until(lambda: "sever.test: " in (json.loads(events.line(events.stdout))["reason"]
                                              or ""), what="the event")
        events.kill()
    host.replace_file("/etc/hosts", "192.0.2.9 sever.test\n")
    wait_until(lambda: tunnel.status()["peers"][0]["endpoint"] == "192.0.2.9:4500",
               what="the name has an address")
    assert tunnel.status()["peers"][0]["not_resolved"] is None
