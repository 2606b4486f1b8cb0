"""Plots as SVG: horizontal bars of medians with whiskers from minimum to maximum.

Text takes the colour of its surroundings (light or dark) by a media query; bars have colours that
can be told apart on both, also by people who do not see red and green.
"""

import html
import math

COLOURS = ("#0072b2", "#56b4e9", "#8a8a8a", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#b3a800")
WIDTH, LEFT, RIGHT = 760, 190, 120
BAR, GAP, CASE = 16, 4, 30
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.case { font-weight: 600 }
.whisker, .axis { stroke: #1f2328; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .whisker, .axis { stroke: #e6edf3 }
}
</style>"""


class _Scale:
    """Values to pixels. Logarithmic scales begin at a power of ten below the least value."""

    def __init__(self, values, logarithmic):
        self.logarithmic = logarithmic and min(values, default=0) > 0
        self.top = max(values, default=0) or 1.0
        self.bottom = 10 ** math.floor(math.log10(min(values) / 2)) if self.logarithmic else 0.0

    def __call__(self, value):
        room = WIDTH - LEFT - RIGHT
        if not self.logarithmic:
            return LEFT + room * value / self.top
        share = math.log(max(value, self.bottom) / self.bottom) / math.log(self.top / self.bottom)
        return LEFT + room * share


def _text(x, y, text, anchor="start", kind=""):
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{html.escape(text)}</text>'


def _bar(scale, y, figure, colour, digits):
    middle = y + BAR / 2
    low, high, end = scale(figure["min"]), scale(figure["max"]), scale(figure["median"])
    label = f"{figure['median']:,.{digits}f}"
    return [f'<rect x="{LEFT}" y="{y}" width="{max(end - LEFT, 1):.1f}" height="{BAR}" '
            f'fill="{colour}"/>',
            f'<path class="whisker" fill="none" d="M{low:.1f} {middle}H{high:.1f}'
            f'M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"/>',
            _text(high + 6, middle + 4, label)]


def bars(bench, report):
    """The main figure of a report: one group of bars per case, one colour per system."""
    column, summary = bench.columns[0], report["summary"]
    names = list(dict.fromkeys(name for systems in summary.values() for name in systems))
    found = [(case, name, systems[name][column.figure]) for case, systems in summary.items()
             for name in systems if column.figure in systems[name]]
    scale = _Scale([value for _, _, figure in found for value in (figure["min"], figure["max"])],
                   bench.scale == "log")
    words = f"{column.heading}, {column.better} is better"
    words += ", logarithmic" if scale.logarithmic else ""
    lines, y, last = [_text(10, 20, bench.title, kind="title"), _text(10, 38, words)], 44, None
    for case, name, figure in found:
        if case != last:
            y += CASE
            lines.append(_text(10, y - 6, case, kind="case"))
        last = case
        lines.append(_text(LEFT - 8, y + BAR - 4, name, anchor="end"))
        lines += _bar(scale, y, figure, COLOURS[names.index(name) % len(COLOURS)], column.digits)
        y += BAR + GAP
    lines.append(f'<path class="axis" d="M{LEFT} 62V{y}"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" '
            f'width="{WIDTH}" height="{y + 10}" role="img">\n{STYLE}\n' + "\n".join(lines)
            + "\n</svg>\n")
