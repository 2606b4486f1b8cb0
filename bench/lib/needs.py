"""What a bench cannot do without; answers in words, or None."""

import os
import shutil

import netns


def programs(options, *names):
    """Programs of the build."""
    for name in names:
        if not os.access(options.build / "bin" / name, os.X_OK):
            return f"{name} is not built in {options.build}"
    return None


def hosts(options, *names):
    """Network namespaces, a TUN driver, tools, and our programs."""
    tools = ["wg", "ping", "ss", "ethtool", *names]
    tools += ["taskset"] if options.pin else []
    absent = next((name for name in tools if not shutil.which(name)), None)
    return absent and f"{absent} is not installed" or netns.missing(tun=True) or \
        programs(options, "simplevpn", "bench_node", "bench_probe", "bench_core")
