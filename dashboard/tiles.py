"""The tiles that stand in a row on top of a page: one number each, and how it compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ispbilling.kernel import charts


@dataclass(frozen=True, slots=True)
class Figure:
    """One tile, as ``components/stat.html`` takes it."""

    label: str
    value: Any
    icon: str
    tone: str
    note: str = ""
    note_tone: str = ""
    spark: charts.Spark | None = None
    url: str = ""


def change_of(now: Any, before: Any) -> str:
    """How much more or less, with its sign: ``+12.8 %``."""
    share = (float(now) - float(before)) / float(before) * 100
    return f"{share:+.0f} %" if abs(share) >= 10 else f"{share:+.1f} %"
