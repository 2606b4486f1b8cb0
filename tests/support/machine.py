"""What a machine looks like: everything that a tunnel may change, as text to be compared.

Only what changes by itself is masked: lifetimes, `expires`, how many connections there are. Take it
after addresses have settled (no `tentative`); Host and Lab switch duplicate address detection off.
"""

import re

FACTS = {
    "addresses": "ip addr",
    "routes v4": "ip -4 route show table all",
    "routes v6": "ip -6 route show table all",
    "rules v4": "ip -4 rule",
    "rules v6": "ip -6 rule",
    "packet filter": "nft -s list ruleset",
    "settings": "sysctl -a --pattern '^net[.]' 2>/dev/null",
    "resolv.conf": "stat -c '%F %a %U:%G' /etc/resolv.conf; cat /etc/resolv.conf",
    "files": "find /etc /run/simplevpn -maxdepth 1 -printf '%p %y %#m\\n' | sort",
    "sockets": "ls -lA --time-style=+ /run/wireguard",
    "state": "ls -lA --time-style=+ /var/lib/simplevpn; cat /var/lib/simplevpn/* 2>/dev/null",
}
MASKS = [
    (r"(valid|preferred)_lft \S+", r"\1_lft X"),
    (r"expires \S+", "expires X"),
    (r"(net\.netfilter\.nf_conntrack_count) = \d+", r"\1 = X"),  # no setting: how many there are
]


def describe(host):
    """{fact: text} of a host, in one run of a shell."""
    marked = "\n".join(f"echo '### {fact}'; {command}" for fact, command in FACTS.items())
    text = host.run("/bin/sh", "-c", marked + "\ntrue").stdout
    host.run("nft", "-s", "list", "ruleset")  # fails where an empty packet filter would say nothing
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    parts = re.split(r"^### (.*)\n", text, flags=re.M)[1:]
    facts = dict(zip(parts[::2], parts[1::2]))
    for fact in ("addresses", "rules v4", "settings", "files"):
        assert facts[fact], f"no host is without {fact}"
    return facts


def differences(before, after):
    """Lines that are only in one of two descriptions."""
    found = []
    for fact, text in before.items():
        old, new = text.splitlines(), after[fact].splitlines()
        found += [f"{fact}: - {line}" for line in old if line not in new]
        found += [f"{fact}: + {line}" for line in new if line not in old]
        if not found and text != after[fact]:
            found.append(f"{fact}: in another order")
    return found
