"""Which of the many it is today: an ordinary run takes a few in turn, ``--thorough`` all.

The day is fixed once for all workers of a run; ``FAULTS_DAY=N`` in the environment plays another day's again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
#: A parameter's name, its values and their ids, as ``Metafunc.parametrize`` wants them.
Choice = tuple[str, Sequence[Any], Sequence[str]]


def is_thorough(config: pytest.Config) -> bool:
    return bool(config.getoption("--thorough"))


def day() -> int:
    return int(os.environ.setdefault("FAULTS_DAY", str(datetime.now(UTC).date().toordinal())))


def turn(everything: Sequence[T], count: int) -> list[T]:
    """``count`` of them, others every day, until all had their turn."""
    start = day() * count
    return [everything[(start + index) % len(everything)] for index in range(count)]


def one_of_each(groups: Sequence[Sequence[T]]) -> list[T]:
    """One of every group, others every day, and not the same place of each."""
    return [group[(day() + 7 * index) % len(group)] for index, group in enumerate(groups)]
