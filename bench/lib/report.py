"""A bench's JSON, its table for people and its table for docs/performance.md."""

import json
import sys

from . import machine, plot
from .figures import Samples, median, ratio

SCHEMA = 3


def measure(bench, options):
    """Runs a bench; returns its report."""
    options = type(options)(**{**vars(options), "cable": bench.cable or options.cable})
    pause = 0.1 if options.quick else 2
    samples, load = Samples(), machine.Load(pause)
    bench.collect(options, samples.add)
    return {"schema": SCHEMA, "bench": bench.name, "title": bench.title,
            "machine": machine.about(), "versions": machine.versions(options.peer),
            "load": load.summary(),
            "options": {"rounds": options.rounds, "seconds": options.seconds,
                        "cable": options.cable, "pinned": options.pin, "quick": options.quick,
                        "own_buffers": options.own_buffers,
                        "reference": bench.reference or options.reference},
            "summary": samples.summary()}


def number(value, digits):
    if value is None:
        return "–"
    return f"{value:.3g}" if 0 < abs(value) < 0.5 * 10 ** -digits else f"{value:,.{digits}f}"


def _span(row, column):
    figure = row.get(column.figure)
    if not figure or len(figure["values"]) < 2:
        return ""
    return f"{number(figure['min'], column.digits)}–{number(figure['max'], column.digits)}"


def rows(bench, report):
    """Headings, and (case, cells) for every row."""
    main, reference = bench.columns[0], report["options"]["reference"]
    compared = any(reference in systems for systems in report["summary"].values())
    headings = ["", main.heading, "min–max", *([f"ratio to {reference}"] if compared else []),
                *(column.heading for column in bench.columns[1:])]
    lines = []
    for case, systems in report["summary"].items():
        base = median(report, case, reference, main.figure)
        for system, row in systems.items():
            here = median(report, case, system, main.figure)
            cells = [system, number(here, main.digits), _span(row, main)]
            if compared:
                cells.append(number(ratio(here, base), 2))
            cells += [number(median(report, case, system, column.figure), column.digits)
                      for column in bench.columns[1:]]
            lines.append((case, cells))
    return headings, lines


def quiet(report):
    """Had the machine nothing else to do, and did the hypervisor leave it to us?"""
    return max(report["load"].values()) <= 5


def headline(report):
    about, load, options = report["machine"], report["load"], report["options"]
    settings = f"{options['rounds']} round{'s' * (options['rounds'] != 1)}"
    settings += f", cable {options['cable']}" + (", pinned" if options["pinned"] else "")
    settings += ", own socket buffers" if options["own_buffers"] else ""
    settings += "" if quiet(report) else "; the machine was not quiet: these figures are noise"
    return (f"{about['cpu']}, {about['cores']} cores ({', '.join(about['flags'])}), "
            f"Linux {about['kernel']}, TCP {about['tcp']}, {about['date']}; "
            f"busy with other things before {load['background_before']} %, "
            f"after {load['background_after']} %, stolen {load['steal_percent']} %; {settings}")


def _line(cells, widths):
    first, *rest = zip(cells, widths)
    return "  ".join(["  " + first[0].ljust(first[1]), *(text.rjust(to) for text, to in rest)])


def print_table(bench, report, file=sys.stdout):
    headings, lines = rows(bench, report)
    print(f"\n{bench.title}\n{headline(report)}", file=file)
    widths = [max(len(cells[i]) for cells in (headings, *(cells for _, cells in lines)))
              for i in range(len(headings))]
    last = None
    for case, cells in lines:
        if case != last:
            print(f"\n{case}\n{_line(headings, widths)}", file=file)
        last = case
        print(_line(cells, widths), file=file)


def markdown(bench, report):
    headings, lines = rows(bench, report)
    text, last = [], None
    for case, cells in lines:
        if case != last:
            text += ["", f"**{case}**", "", "| " + " | ".join(headings) + " |",
                     "|---" + "|---:" * (len(headings) - 1) + "|"]
        last = case
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text).strip()


def save(bench, report, folder):
    (folder / f"{bench.name}.json").write_text(json.dumps(report, indent=1) + "\n",
                                               encoding="utf-8")
    (folder / f"{bench.name}.svg").write_text(plot.bars(bench, report), encoding="utf-8")


def load(folder, name):
    """None also for a report of an older kind: it has to be measured anew."""
    path = folder / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if found.get("schema") == SCHEMA else None
