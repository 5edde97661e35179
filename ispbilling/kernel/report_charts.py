"""Charts of reports as plain shapes, which ``static/js/reports.js`` draws with ECharts; beside each a table.

Pure functions. A trend is one number for each label and name; a heat map is one number for each row and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ispbilling.kernel.charts import Number, Series, Shown, plain, tones


@dataclass(frozen=True, slots=True)
class Report:
    """``data`` becomes JSON for the script; ``head`` and ``rows`` are the table, whose first column is ``corner``."""

    title: str
    corner: str
    head: list[str]
    rows: list[tuple[str, list[str]]]
    data: dict[str, Any]
    is_empty: bool


def trend(
    title: str,
    corner: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str = "",
    digits: int = 0,
    is_line: bool = False,
    show: Shown = plain,
) -> Report:
    """Bars stacked in the order of ``series``, or lines; many labels can be looked at piece by piece.

    ``unit`` stands behind numbers that the script writes, with ``digits`` decimals; ``show`` writes those of the table.
    Raises ValueError when a series has not one number for each label.
    """
    for one in series:
        if len(one.values) != len(labels):
            raise ValueError(f"{one.name}: {len(one.values)} values for {len(labels)} labels")
    drawn = [
        {"name": one.name, "tone": tone, "values": [_number(value) for value in one.values]}
        for tone, one in zip(tones(series), series, strict=True)
    ]
    rows = [(label, [_shown(one.values[at], show) for one in series]) for at, label in enumerate(labels)]
    kind = "lines" if is_line else "bars"
    return Report(
        title=title,
        corner=corner,
        head=[one.name for one in series],
        rows=rows,
        data={"kind": kind, "labels": list(labels), "series": drawn, "unit": unit, "digits": digits},
        is_empty=not any(value for one in series for value in one.values),
    )


def heat(
    title: str,
    corner: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[Number | None]],
    *,
    unit: str = "",
    show: Shown = plain,
) -> Report:
    """A field of ``rows`` × ``columns``, ``values[row][column]``, the stronger the more; None where nothing is known.

    Raises ValueError when the field has not one number for each row and column.
    """
    if len(values) != len(rows) or any(len(row) != len(columns) for row in values):
        raise ValueError(f"{len(values)} rows of values for {len(rows)} × {len(columns)}")
    cells = [
        [column, row, number]
        for row, line in enumerate(values)
        for column, value in enumerate(line)
        if (number := _number(value)) is not None
    ]
    return Report(
        title=title,
        corner=corner,
        head=list(columns),
        rows=[(name, [_shown(value, show) for value in line]) for name, line in zip(rows, values, strict=True)],
        data={"kind": "heat", "rows": list(rows), "columns": list(columns), "cells": cells, "unit": unit, "digits": 0},
        is_empty=not any(cell[2] for cell in cells),
    )


def _number(value: Number | None) -> float | None:
    return None if value is None else float(value)


def _shown(value: Number | None, show: Shown) -> str:
    return "–" if value is None else show(value)
