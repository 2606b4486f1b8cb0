"""Figures of many runs: collected, summarised, compared."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """One figure in tables. `better` is "more" or "less": for the plot's caption and the ratio."""
    figure: str
    heading: str
    digits: int = 2
    better: str = "less"


@dataclass(frozen=True)
class Bench:
    """One command. The first column is the main figure: it is plotted, and its ratio to the
    reference stands in the table."""
    name: str
    title: str
    columns: tuple
    collect: callable      # collect(options, add): calls add(case, system, {figure: value or None})
    needs: callable        # needs(options): what is missing here, in words, or None
    scale: str = "linear"  # of the plot, or "log"
    reference: str = ""    # of the ratios; "" = the one of the command line
    cable: str = ""        # between the hosts; "" = the one of the command line


@dataclass
class Samples:
    """Values in the order in which they came, by case, system and figure."""
    values: dict = field(default_factory=dict)

    def add(self, case, system, figures):
        row = self.values.setdefault(case, {}).setdefault(system, {})
        for figure, value in figures.items():
            if value is not None:
                row.setdefault(figure, []).append(value)

    def summary(self):
        return {case: {system: {figure: summarise(values) for figure, values in row.items()}
                       for system, row in systems.items()}
                for case, systems in self.values.items()}


def summarise(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "values": values}


def median(report, case, system, figure):
    """A median of a report, or None where it was not measured."""
    try:
        return report["summary"][case][system][figure]["median"]
    except (KeyError, TypeError):
        return None


def ratio(one, other):
    return one / other if one is not None and other else None


def turns(systems, rounds):
    """A B C, C B A, ...: interleaved, so that drift of the machine hits all alike."""
    for number in range(rounds):
        for system in systems[::-1] if number % 2 else systems:
            yield number, system
