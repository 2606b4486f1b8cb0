"""What of a host a tunnel could change, as one value to compare before and after."""

# Only what stays as it is while nobody touches it; /proc/sys files that cannot be read are left
# out, and the random number that each new interface has.
_LOOK = {
    "addresses": "ip -o address show | sed 's/valid_lft.*//'",
    "routes": "ip -4 route show table all; ip -6 route show table all",
    "rules": "ip -4 rule; ip -6 rule",
    "filter": "command -v nft > /dev/null && nft -s list ruleset",
    "sysctls": "grep -rs . /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf "
               "/proc/sys/net/ipv4/ip_forward | grep -v stable_secret | sort",
    "resolv.conf": "ls -l /etc/resolv.conf; cat /etc/resolv.conf",
    "state": "find /run/wireguard /run/simplevpn /var/lib/simplevpn -type s -o -name '*.journal' "
             "| sort",
}


def state(host):
    """{what: text}. An assertion about two of them shows which part differs, and where."""
    return {what: host.run("/bin/sh", "-c", look, check=False).stdout.splitlines()
            for what, look in _LOOK.items()}
