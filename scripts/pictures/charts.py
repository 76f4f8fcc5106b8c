"""Charts: rows of a query in, HTML out, which is one `<svg>` and a legend where there is a need for it.

Each chart is as wide as a phone, so that its texts can be read there; elsewhere it is a little larger.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pictures.svg import ACCENT, GRID, INK, MUTED, SERIES, VARIABLES, WIDTH, Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

Rows = Sequence[tuple[Any, ...]]
Draw = Callable[[str, Rows], str]

_HEIGHT = 200
_NARROW, _WIDE, _WIDEST = 6.7, 9.5, 11.5
"""Pixels of a small letter, a capital, and a Chinese or Japanese one, at the size of labels."""
_LONGEST = timedelta(weeks=130)
"""Of more than this, only the newest are shown: bars would become hairs."""
_EPOCH = date(1970, 1, 1)
_GOOD, _WAITING, _BAD, _GONE = SERIES[2], SERIES[1], SERIES[3], SERIES[4]
_MEANING = {
    "confirmed": _GOOD,
    "accepted": _GOOD,
    "paid": _GOOD,
    "pending": _WAITING,
    "not yet paid": _WAITING,
    "rejected": _BAD,
    "refunded": _BAD,
    "cancelled": _GONE,
    "canceled": _GONE,
}
"""Colours of states: the same in every chart."""


def ranking(title: str, rows: Rows) -> str:
    """Bars that lie: each row is a label and a number, largest first. The label is above its bar."""
    picture = Picture(27 * len(rows), framed=False)
    axes = picture.axes
    widest = max(float(number) for _, number in rows)
    for place, (label, number) in enumerate(rows):
        name = printable(str(label))
        (bar,) = axes.barh(place, float(number), height=0.3, color=ACCENT)
        picture.explain(bar, f"{name}: {number:,}")
        room = WIDTH - _WIDE * len(f"{number:,}") - _WIDEST
        axes.text(0, place - 0.26, shortened(name, room), color=INK, va="bottom")
        axes.text(widest, place - 0.26, f"{number:,}", color=INK, va="bottom", ha="right", weight="bold")
    axes.set_xlim(0, widest)
    axes.set_ylim(len(rows) - 0.8, -0.8)
    axes.set_axis_off()
    return picture.svg(title)


def weeks(title: str, rows: Rows) -> str:
    """Bars that stand, one per week: rows of its Monday, a state, a number, and a unit or None."""
    return _stacks(title, rows, lambda monday: f"Week of {monday:%d %b %Y}", lambda _: 7)


def months(title: str, rows: Rows) -> str:
    """Bars that stand, one per month: rows of its first day, a state, an amount, and a unit or None."""
    return _stacks(title, rows, lambda first: f"{first:%B %Y}", days_of_month)


def growth(title: str, rows: Rows) -> str:
    """A line with its area: rows of a day, a number, and a unit or None."""
    return _line(title, [(days_since(day), float(number)) for day, number, _ in rows], rows[-1])


def level(title: str, rows: Rows) -> str:
    """A line that stays where it is until the next row: of a day, an amount, and a unit or None."""
    points = [(days_since(day), float(amount)) for day, amount, _ in rows]
    steps = [(points[max(place - 1, 0)][1], point) for place, point in enumerate(points)]
    corners = [corner for before, (day, now) in steps for corner in ((day, before), (day, now))]
    return _line(title, corners, rows[-1])


def _stacks(title: str, rows: Rows, name: Callable[[date], str], days: Callable[[date], int]) -> str:
    newest = max(row[0] for row in rows)
    shown = [row for row in rows if row[0] > newest - _LONGEST]
    colors = _colors(shown)
    picture = Picture(_HEIGHT)
    floor: dict[date, float] = defaultdict(float)
    for state, color in colors.items():
        for day, _, number, unit in (row for row in shown if row[1] == state):
            height, width = float(number), days(day) * 0.86
            (bar,) = picture.axes.bar(days_since(day), height, width, floor[day], color=color, align="edge")
            picture.explain(bar, f"{name(day)}, {state}: {amount(number, unit)}")
            floor[day] += height
    _over_time(picture.axes)
    return legend(colors) + picture.svg(title)


def _colors(rows: Rows) -> dict[str, str]:
    """The states, most frequent first, with the colours of their meaning, else the next ones free."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for _, state, number, _ in rows:
        totals[state] += Decimal(number)
    free = [color for color in SERIES if color not in {_MEANING.get(state) for state in totals}]
    colors = {}
    for state in sorted(totals, key=lambda state: (-totals[state], state)):
        colors[state] = _MEANING.get(state) or (free.pop(0) if free else MUTED)
    return colors


def _line(title: str, points: Sequence[tuple[float, float]], newest: tuple[Any, ...]) -> str:
    days, numbers = [day for day, _ in points], [number for _, number in points]
    picture = Picture(_HEIGHT)
    axes = picture.axes
    axes.fill([days[0], *days, days[-1]], [0, *numbers, 0], color=ACCENT, alpha=0.14, linewidth=0)
    axes.plot(days, numbers, color=ACCENT, linewidth=1.8)
    _over_time(axes)
    day, number, unit = newest
    return f"<p class='newest'><b>{escape(amount(number, unit))}</b> on {day:%d %b %Y}</p>" + picture.svg(
        title
    )


def _over_time(axes: Axes) -> None:
    """Time below, numbers to the left, and as few lines as possible."""
    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    dates = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(dates)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: compact(number)))
    axes.margins(x=0.015)
    axes.set_ylim(bottom=min(0, axes.dataLim.y0), top=max(1, axes.dataLim.y1) * 1.04)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=MUTED, pad=6)
    for side, spine in axes.spines.items():
        spine.set(visible=side == "bottom", color=GRID)


def legend(colors: Mapping[str, str]) -> str:
    """Say which colour is what, if there are several."""
    items = (
        f"<li><i style='background: var(--{VARIABLES[color]})'></i>{escape(state)}</li>"
        for state, color in colors.items()
    )
    return f"<ul class='legend'>{''.join(items)}</ul>" if len(colors) > 1 else ""


def amount(number: Decimal | float, unit: str | None) -> str:
    """Return a number with its unit, if it has one."""
    return f"{number:,} {unit}" if unit else f"{number:,}"


def compact(number: float) -> str:
    """Return a number as a tick shows it: 950, 2,500, 40k, 3.5M."""
    for size, letter, least in ((1e9, "G", 1e9), (1e6, "M", 1e6), (1e3, "k", 1e4)):
        if abs(number) >= least:
            return f"{number / size:g}{letter}"
    return f"{number:,.0f}"


def printable(label: str) -> str:
    """Return a label without what an XML document must not have."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+", " ", label).strip()


def shortened(label: str, room: float) -> str:
    """Return as much of a label as fits into so many pixels."""
    for place, letter in enumerate(label):
        room -= _WIDEST if east_asian_width(letter) in "WF" else _WIDE if letter.isupper() else _NARROW
        if room < 0:
            return label[:place].rstrip() + "…"
    return label


def days_since(day: date) -> int:
    """Return a day as matplotlib counts it."""
    return (day - _EPOCH).days


def days_of_month(first: date) -> int:
    """Return how many days the month has."""
    return ((first + timedelta(days=31)).replace(day=1) - first).days
