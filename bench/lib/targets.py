"""The goals of the fast path, held against measured reports: target, measured, reached.

A row takes medians of one run. Systems have the names under which benches know them; peers that
are joined by --peer must be called as here: `wireguard-go new`, `tailscale`, `boringtun`,
`gotatun`.
"""

import operator
import sys
from dataclasses import dataclass

from . import report
from .figures import median, ratio

OURS = "libtunnel"
DEBIAN = "wireguard-go"
REACHED, MISSED, UNKNOWN = "yes", "no", "not measured"


@dataclass(frozen=True)
class Target:
    figure: str
    against: str
    limit: float
    measure: callable  # measure(reports): the value, or None
    at_least: bool = True
    digits: int = 2

    def goal(self):
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    def verdict(self, value):
        if value is None:
            return UNKNOWN
        holds = operator.ge if self.at_least else operator.le
        return REACHED if holds(value, self.limit) else MISSED


def _value(bench, case, figure, system=OURS):
    return lambda reports: median(reports.get(bench), case, system, figure)


def _over(bench, case, figure, other, system=OURS):
    """A figure of ours divided by the same of another system."""
    def measure(reports):
        found = reports.get(bench)
        return ratio(median(found, case, system, figure), median(found, case, other, figure))
    return measure


def _worst(bench, figure, cases):
    """The largest over some cases."""
    def measure(reports):
        values = [median(reports.get(bench), case, OURS, figure) for case in cases]
        return max((value for value in values if value is not None), default=None)
    return measure


def _best_over_aead(reports):
    """Of the fastest cipher that was measured."""
    found = (reports.get("plumbing") or {}).get("summary", {}).get("TCP x1", {})
    rows = [row for name, row in found.items() if "over_aead" in row]
    fastest = min(rows, key=lambda row: row["aead_s_gb"]["median"], default=None)
    return fastest and fastest["over_aead"]["median"]


def _tcp(other, limit, case="TCP x1", system=OURS):
    return Target(case + ("" if system == OURS else f", {system}"), other, limit,
                  _over("throughput", case, "gbit_s", other, system))


def _udp(other, limit):
    return Target("UDP 1300, highest rate with ≤ 0.1 % lost", other, limit,
                  _over("udp", "UDP, 1300 bytes", "kpps", other))


def _idle(figure, words):
    return Target(f"added round trip, idle, {words}", DEBIAN, 0.45,
                  _over("latency", "idle", figure, DEBIAN), at_least=False)


_TCP_CASES = ("TCP x1", "TCP x4", "TCP x32", "TCP x1, server sends", "TCP x1, both ways")
TARGETS = (
    _tcp(DEBIAN, 6), _tcp(DEBIAN, 6, case="TCP x4"), _tcp("wireguard-go new", 2.2),
    _tcp("tailscale", 1.7), _tcp("boringtun", 6), _tcp("gotatun", 5),
    _tcp(DEBIAN, 4, system="libtunnel, libsodium"),
    Target("CPU above the null cipher", "the AEAD of the same bytes", 1.4, _best_over_aead,
           at_least=False),
    Target("TCP x1 with the null cipher", "no tunnel", 0.3,
           _over("plumbing", "TCP x1", "gbit_s", "no tunnel", "null cipher")),
    _udp(DEBIAN, 5), _udp("tailscale", 1.5),
    Target("CPU s/GB of both daemons, TCP x1", DEBIAN, 1 / 6,
           _over("throughput", "TCP x1", "daemons_s_gb", DEBIAN), at_least=False, digits=3),
    Target("RSS under load per end, MiB", "", 8, _worst("throughput", "rss_mib", _TCP_CASES),
           at_least=False, digits=1),
    _idle("added_mean_us", "mean"), _idle("added_p50_us", "p50"),
    Target("bytes per configured idle peer", "", 600,
           _value("peers", "10,000 peers", "bytes_peer"), at_least=False, digits=0),
    Target("10,000 peers over the control socket, s", "", 0.3,
           _value("peers", "10,000 peers", "seconds"), at_least=False, digits=3),
    Target("wake-ups of an idle tunnel in 60 s", "", 0,
           _value("idle", "no traffic, no keepalive", "wakeups"), at_least=False, digits=0),
    Target("handshakes/s on one core, rekey, responder", "the bound", 0.8,
           _value("handshakes", "rekey", "of_bound", "responder")),
)


def all_of(folder):
    """(target, value, verdict) for every row."""
    names = ("throughput", "udp", "plumbing", "latency", "peers", "idle", "handshakes")
    reports = {name: report.load(folder, name) for name in names}
    for target in TARGETS:
        value = target.measure(reports)
        yield target, value, target.verdict(value)


def cells(target, value, verdict):
    return [target.figure, target.against or "–", target.goal(),
            report.number(value, target.digits), verdict]


HEADINGS = ["figure", "against", "target", "measured", "reached"]


def markdown(folder):
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|---:|---:|---|"]
    lines += ["| " + " | ".join(cells(*row)) + " |" for row in all_of(folder)]
    return "\n".join(lines)


def print_all(folder, file=sys.stdout):
    """Prints the table; how many were missed."""
    found = list(all_of(folder))
    table = [HEADINGS, *(cells(*row) for row in found)]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADINGS))]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)), file=file)
    return sum(verdict == MISSED for _, _, verdict in found)
