#!/usr/bin/python3
"""iperf3 through our tunnel and through Debian's wireguard-go, in the same run.

    bench/throughput.py [--build build/release] [--rounds 5] [--seconds 8] [--json FILE]

Two hosts (network namespaces, see tests/support/netns.py) with one cable. In each round every
system gets its turn: a new tunnel, one TCP stream of `--seconds`, the tunnel is taken down. What is
printed: median, minimum and maximum of the throughput; CPU seconds per gigabyte, of the two
daemons, with the two iperf3, and of the whole machine (which counts the kernel's work in interrupts
too); the ratio of the medians. Needs root, iperf3, wireguard-go and wg.

Both ends, both iperf3 and the kernel share this machine's cores, so the figures compare systems on
one machine; they are not what a link between two machines would carry.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from netns import Lab, wait_until  # noqa: E402 (found through the line above)

MTU = 1420
PORT = 51820
OUTSIDE = ("192.0.2.1", "192.0.2.2")
INSIDE = ("10.77.0.1", "10.77.0.2")
TICKS = os.sysconf("SC_CLK_TCK")
GIGA = 1e9


def output(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          **options).stdout.strip()


# ---- what is measured: one class per system, start(), daemons(), stop() ----

def keys():
    private = [output("wg", "genkey") for _ in range(2)]
    return [(key, output("wg", "pubkey", input=key)) for key in private]


def config(pairs, end, quick):
    """The configuration of one end; the keys of wg-quick only where they are understood."""
    private, other = pairs[end][0], 1 - end
    address = f"Address = {INSIDE[end]}/24\nMTU = {MTU}\n" if quick else ""
    return (f"[Interface]\nPrivateKey = {private}\nListenPort = {PORT}\n{address}"
            f"[Peer]\nPublicKey = {pairs[other][1]}\nEndpoint = {OUTSIDE[other]}:{PORT}\n"
            f"AllowedIPs = {INSIDE[other]}/32\n")


class NoTunnel:
    name = "no tunnel"
    server = OUTSIDE[1]

    def __init__(self, hosts):
        self.hosts = hosts

    def start(self):
        pass

    def daemons(self):
        return []

    def stop(self):
        pass


class Tunnel:
    """A daemon at each end. Subclasses say how one is started."""

    server = INSIDE[1]

    def __init__(self, hosts):
        self.hosts = hosts
        self.processes = []

    def start(self):
        pairs = keys()
        for end, host in enumerate(self.hosts):
            self.processes.append(self.start_end(host, end, pairs))
        wait_until(self.ping, what=f"{self.name}: a ping through the tunnel")

    def ping(self):
        return self.hosts[0].run("ping", "-c1", "-W1", self.server, check=False).returncode == 0

    def daemons(self):
        return [pid for host in self.hosts for pid in host.pids(self.program)]

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=10)
        self.processes = []


class WireguardGo(Tunnel):
    name = "wireguard-go"
    program = "wireguard-go"

    def start_end(self, host, end, pairs):
        process = host.popen("wireguard-go", "-f", "wg0", stderr=subprocess.DEVNULL,
                             env={**os.environ, "LOG_LEVEL": "error"})
        wait_until(lambda: host.exists("/run/wireguard/wg0.sock"), what="wireguard-go's socket")
        host.write("/run/wg0.conf", config(pairs, end, quick=False))
        host.run("wg", "setconf", "wg0", "/run/wg0.conf")
        host.ip("address", "add", f"{INSIDE[end]}/24", "dev", "wg0")
        host.ip("link", "set", "dev", "wg0", "mtu", MTU, "up")
        return process


class Simplevpn(Tunnel):
    name = "simplevpn"
    program = "simplevpn"
    path = None

    def start_end(self, host, end, pairs):
        host.write("/run/vpn0.conf", config(pairs, end, quick=True))
        return host.popen(self.path, "-q", "up", "-f", "/run/vpn0.conf",
                          stdout=subprocess.DEVNULL)


SYSTEMS = (NoTunnel, WireguardGo, Simplevpn)


# ---- one measurement ----

def cpu_of(pid):
    """User and system seconds of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_machine():
    """Seconds that all cores were busy or taken away from us, interrupts included."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def iperf(system, seconds):
    """Bytes per second and CPU seconds of one TCP stream from the first host to the second."""
    client, server = system.hosts
    listener = server.popen("iperf3", "-s", stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: server.run("ss", "-Hltn", "sport = 5201").stdout, what="iperf3 listens")
        daemons, listeners = system.daemons(), server.pids("iperf3")
        before = [sum(map(cpu_of, daemons)), sum(map(cpu_of, listeners)), cpu_of_children(),
                  cpu_of_machine()]
        done = client.run("iperf3", "-c", system.server, "-t", seconds, "-J", timeout=seconds + 30)
        after = [sum(map(cpu_of, daemons)), sum(map(cpu_of, listeners)), cpu_of_children(),
                 cpu_of_machine()]
    finally:
        listener.terminate()
        listener.wait(timeout=10)
    end = json.loads(done.stdout)["end"]
    daemon, receiver, sender, machine = (b - a for a, b in zip(before, after))
    gigabytes = end["sum_received"]["bytes"] / GIGA
    return {"gbit_s": end["sum_received"]["bits_per_second"] / GIGA,
            "retransmits": end["sum_sent"]["retransmits"],
            "daemons_s_gb": daemon / gigabytes,
            "with_iperf_s_gb": (daemon + receiver + sender) / gigabytes,
            "machine_s_gb": machine / gigabytes}


def measure(kind, hosts, seconds):
    system = kind(hosts)
    try:
        system.start()
        return iperf(system, seconds)
    finally:
        system.stop()


def rounds(systems, count, seconds):
    """Interleaved, every second round in reverse order, so that drift hits all alike."""
    results = {kind.name: [] for kind in systems}
    with Lab() as lab:
        hosts = lab.host("client"), lab.host("server")
        lab.veth(hosts[0], f"{OUTSIDE[0]}/24", hosts[1], f"{OUTSIDE[1]}/24")
        for number in range(count):
            for kind in systems[::-1] if number % 2 else systems:
                result = measure(kind, hosts, seconds)
                results[kind.name].append(result)
                print(f"round {number + 1}: {kind.name:13} {result['gbit_s']:6.2f} Gbit/s",
                      file=sys.stderr)
    return results


# ---- the report ----

def machine():
    models = [line.split(":")[1].strip() for line in
              Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
              if line.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release()}


def versions(simplevpn):
    git = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
                         capture_output=True, text=True, check=False).stdout.strip()
    package = output("dpkg-query", "-W", "-f", "${Version}", "wireguard-go")
    return {"simplevpn": git or simplevpn, "wireguard-go": package,
            "iperf3": output("iperf3", "--version").split("\n")[0]}


def summary(results):
    def of(name, figure):
        values = [result[figure] for result in results[name]]
        return {"median": statistics.median(values), "min": min(values), "max": max(values)}

    return {name: {figure: of(name, figure) for figure in results[name][0]} for name in results}


def ratios(figures):
    """Of the throughput, and of the work per gigabyte: on a busy machine the steadier one."""
    ours, theirs = figures.get(Simplevpn.name), figures.get(WireguardGo.name)
    if not ours or not theirs:
        return None, None
    return (ours["gbit_s"]["median"] / theirs["gbit_s"]["median"],
            theirs["with_iperf_s_gb"]["median"] / ours["with_iperf_s_gb"]["median"])


def print_report(report):
    about, made = report["machine"], report["versions"]
    print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}; "
          + ", ".join(f"{name} {version}" for name, version in made.items()))
    print(f"TCP x1, MTU {MTU}, {report['rounds']} rounds of {report['seconds']} s, interleaved\n")
    print(f"{'':13} {'Gbit/s':>8} {'min - max':>15} {'retrans':>8}   "
          "CPU s/GB: daemons, + iperf3, machine")
    for name, figures in report["summary"].items():
        rate = figures["gbit_s"]
        span = f"{rate['min']:.2f} - {rate['max']:.2f}"
        cpu = [f"{figures[key]['median']:.2f}" for key in
               ("daemons_s_gb", "with_iperf_s_gb", "machine_s_gb")]
        print(f"{name:13} {rate['median']:8.2f} {span:>15} "
              f"{figures['retransmits']['median']:8.0f}   {', '.join(cpu)}")
    if report["ratio"] is not None:
        print(f"\nsimplevpn : wireguard-go = {report['ratio']:.2f} "
              f"(by CPU of daemons and iperf3: {report['cpu_ratio']:.2f})")


def missing(simplevpn):
    if os.geteuid() != 0:
        return "root"
    for program in ("iperf3", "wireguard-go", "wg", "ss", str(simplevpn)):
        if subprocess.run(["/bin/sh", "-c", 'command -v "$0"', program], check=False,
                          capture_output=True).returncode != 0:
            return program
    return None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=str(ROOT / "build/release"),
                        help="build folder with bin/simplevpn (default: build/release)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each iperf3 run")
    parser.add_argument("--only", choices=[kind.name for kind in SYSTEMS], action="append")
    parser.add_argument("--json", help="write everything to this file too, - for stdout alone")
    return parser.parse_args()


def main():
    options = arguments()
    simplevpn = Path(options.build).resolve() / "bin/simplevpn"
    absent = missing(simplevpn)
    if absent:
        print(f"throughput: needs {absent}", file=sys.stderr)
        return 77
    Simplevpn.path = simplevpn
    systems = [kind for kind in SYSTEMS if not options.only or kind.name in options.only]
    results = rounds(systems, options.rounds, options.seconds)
    report = {"schema": 1, "machine": machine(), "versions": versions(str(simplevpn)),
              "mtu": MTU, "rounds": options.rounds, "seconds": options.seconds,
              "summary": summary(results), "results": results}
    report["ratio"], report["cpu_ratio"] = ratios(report["summary"])
    if options.json == "-":
        json.dump(report, sys.stdout, indent=2)
        return 0
    print_report(report)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
