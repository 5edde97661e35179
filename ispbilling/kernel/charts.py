"""Charts as plain shapes: series of numbers become what ``components/chart.html`` draws as inline SVG.

Pure functions. Shapes live in a field of 1000 × 250 units that is stretched to its place; words stand beside it as
HTML, so that they keep their size on a telephone. Beside each chart goes a table of the same numbers for whoever does
not see it. Numbers of shapes are text here: templates would write them as the reader's language does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats

Number = int | float | Decimal
Shown = Callable[[Number], str]

WIDTH, HEIGHT = 1000, 250
SPARK_WIDTH, SPARK_HEIGHT = 100, 28
COLOURS = 6  # tokens --series-1 … --series-6
LABELS = 8  # words below a chart, at most


@dataclass(frozen=True, slots=True)
class Series:
    """One name and its numbers, one for each label; None where nothing is known.

    ``tone`` is a tone of the pills (ok, warn, bad, info, muted, primary); without one the series gets its own colour.
    """

    name: str
    values: Sequence[Number | None]
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the legend."""

    name: str
    tone: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """``path`` and ``area`` are SVG path data; the area is what lies below the line."""

    path: str
    area: str
    tone: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. ``ticks`` from the top down, one ``slots`` word for each label ("" where none fits)."""

    title: str
    legend: list[Key]
    ticks: list[str]
    grid: list[str]
    slots: list[str]
    head: list[str]
    rows: list[tuple[str, list[str]]]
    bars: list[Bar]
    lines: list[Line]
    is_empty: bool
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Spark:
    """A small line without words: it goes beside a figure that says the same."""

    path: str
    tone: str
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def plain(value: Number) -> str:
    """A number in the reader's way: ``1,499.5``."""
    whole = value == int(value)
    return str(formats.number_format(value, decimal_pos=0 if whole else None, use_l10n=True, force_grouping=True))


def short(value: Number) -> str:
    """A number in little room: ``300k``, ``1.5M``."""
    size = float(value)
    for unit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(size) >= unit:
            return f"{size / unit:g}{word}"
    return f"{size:g}"


def bars(title: str, labels: Sequence[str], series: Sequence[Series], *, show: Shown = plain) -> Chart:
    """Bars, one for each label, the series of it stacked in their order. Numbers below zero count as zero.

    ``show`` writes a number in the table and where one points at a bar. Raises ValueError when a series has not one
    number for each label.
    """
    _same_length(labels, series)
    stacked = [sum(max(float(one.values[at] or 0), 0.0) for one in series) for at in range(len(labels))]
    scale = _scale(0.0, max(stacked, default=0.0))
    slot = WIDTH / max(len(labels), 1)
    drawn = []
    for at, label in enumerate(labels):
        below = 0.0
        for tone, one in zip(tones(series), series, strict=True):
            value = one.values[at]
            if value is None or value <= 0:
                continue
            top, bottom = scale.y(below + float(value)), scale.y(below)
            below += float(value)
            said = f"{label} · {one.name}: {show(value)}" if one.name else f"{label}: {show(value)}"
            drawn.append(Bar(_text(slot * (at + 0.2)), _text(top), _text(slot * 0.6), _text(bottom - top), tone, said))
    return _chart(title, labels, series, scale, show, bars=drawn, lines=[])


def lines(
    title: str, labels: Sequence[str], series: Sequence[Series], *, show: Shown = plain, from_zero: bool = True
) -> Chart:
    """Lines over the labels, broken where a number is None. ``from_zero=False`` looks at the range alone.

    Raises ValueError when a series has not one number for each label.
    """
    _same_length(labels, series)
    known = [float(value) for one in series for value in one.values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = _scale(min(low, 0.0) if from_zero else low, max(high, 0.0) if from_zero else high)
    slot = WIDTH / max(len(labels), 1)
    drawn = []
    for tone, one in zip(tones(series), series, strict=True):
        points = [
            None if value is None else (slot * (at + 0.5), scale.y(float(value))) for at, value in enumerate(one.values)
        ]
        path, area = _path(points, floor=scale.y(max(scale.low, 0.0) if from_zero else scale.low))
        drawn.append(Line(path, area, tone))
    return _chart(title, labels, series, scale, show, bars=[], lines=drawn)


def spark(values: Sequence[Number | None], *, tone: str = "primary") -> Spark:
    """A small line that fills its height; a value that never changes lies in the middle."""
    known = [float(value) for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    room = SPARK_HEIGHT - 4
    points = [
        None
        if value is None
        else (step * at, 2 + (room / 2 if high == low else room * (high - float(value)) / (high - low)))
        for at, value in enumerate(values)
    ]
    return Spark(_path(points, floor=SPARK_HEIGHT)[0], tone)


@dataclass(frozen=True, slots=True)
class Live:
    """Lines over instants for ``static/js/charts.js``. ``data`` becomes JSON: ``times`` in seconds since 1970."""

    title: str
    unit: str
    data: dict[str, Any]
    head: list[str]
    rows: list[tuple[str, list[str]]]
    is_empty: bool


def live(
    title: str,
    times: Sequence[datetime],
    series: Sequence[Series],
    *,
    zone: ZoneInfo,
    unit: str = "",
    show: Shown = plain,
    in_table: int = 60,
) -> Live:
    """Many points, drawn by scripts; beside them a table of the last ``in_table``. Times are shown in ``zone``.

    Raises ValueError when a series has not one number for each instant.
    """
    words = [f"{at.astimezone(zone):%H:%M:%S}" for at in times]
    _same_length(words, series)
    lines = [
        {"name": one.name, "tone": tone, "values": [None if value is None else float(value) for value in one.values]}
        for tone, one in zip(tones(series), series, strict=True)
    ]
    return Live(
        title=title,
        unit=unit,
        data={"times": [at.timestamp() for at in times], "zone": zone.key, "unit": unit, "series": lines},
        head=[one.name for one in series],
        rows=_rows(words, series, show)[-in_table:],
        is_empty=not words,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    step: float
    steps: int

    @property
    def high(self) -> float:
        return self.low + self.step * self.steps

    def y(self, value: float) -> float:
        return HEIGHT * (self.high - value) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """From the top down."""
        return [self.low + self.step * at for at in range(self.steps, -1, -1)]


def _scale(low: float, high: float) -> _Scale:
    """Four to six steps of 1, 2, 2.5 or 5 times a power of ten that hold both ends."""
    if high <= low:
        high = low + 1
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= rough * 0.999999)
    bottom = math.floor(low / step + 1e-9) * step
    return _Scale(bottom, step, max(math.ceil((high - bottom) / step - 1e-9), 1))


def _chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    scale: _Scale,
    show: Shown,
    *,
    bars: list[Bar],
    lines: list[Line],
) -> Chart:
    every = max(math.ceil(len(labels) / LABELS), 1)
    ticks = scale.ticks()
    return Chart(
        title=title,
        legend=[Key(one.name, tone) for tone, one in zip(tones(series), series, strict=True)],
        ticks=[short(round(tick, 9)) for tick in ticks],
        grid=[_text(scale.y(tick)) for tick in ticks],
        slots=[label if at % every == 0 else "" for at, label in enumerate(labels)],
        head=[one.name for one in series],
        rows=_rows(labels, series, show),
        bars=bars,
        lines=lines,
        is_empty=not any(value for one in series for value in one.values),
    )


def _rows(labels: Sequence[str], series: Sequence[Series], show: Shown) -> list[tuple[str, list[str]]]:
    return [
        (label, ["–" if (value := one.values[at]) is None else show(value) for one in series])
        for at, label in enumerate(labels)
    ]


def tones(series: Sequence[Series]) -> list[str]:
    """A tone for each: its own, or the number of a colour."""
    return [one.tone or str(at % COLOURS + 1) for at, one in enumerate(series)]


def _same_length(labels: Sequence[str], series: Sequence[Series]) -> None:
    for one in series:
        if len(one.values) != len(labels):
            raise ValueError(f"{one.name!r} has {len(one.values)} values for {len(labels)} labels")


def _path(points: Sequence[tuple[float, float] | None], *, floor: float) -> tuple[str, str]:
    """A line through the points and the area below it, both broken where a point is missing."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    drawn, areas = [], []
    for piece in filter(None, pieces):
        run = "L".join(f"{_text(x)} {_text(y)}" for x, y in piece)
        # A lone point is a line of no length: round ends make a dot of it.
        drawn.append(f"M{run}" if len(piece) > 1 else f"M{run}L{run}")
        areas.append(f"M{_text(piece[0][0])} {_text(floor)}L{run}L{_text(piece[-1][0])} {_text(floor)}Z")
    return "".join(drawn), "".join(areas)


def _text(value: float) -> str:
    return f"{round(value, 2):g}"
