"""The registry of what a new provider does first, until money comes in and somebody is online for it.

``first_steps.register("router", …, rows=selector)`` in the ``apps.py`` of the app that owns the page the step leads to.
A step is done as soon as ``rows()`` has a row: nobody ticks anything, and nothing is typed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Step:
    """``url`` is the URL name, without arguments, of the page where it is done; ``text`` says why, ``do`` what."""

    name: str
    title: str | Promise
    text: str | Promise
    do: str | Promise
    url: str
    icon: str
    permission: str
    order: int
    rows: Callable[[], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A step, and whether the current tenant has done it."""

    step: Step
    is_done: bool


_steps: dict[str, Step] = {}


def register(
    name: str,
    *,
    title: str | Promise,
    text: str | Promise,
    do: str | Promise,
    url: str,
    icon: str,
    permission: str,
    order: int,
    rows: Callable[[], QuerySet[Any]],
) -> None:
    """Add a step. Raises ValueError for a name that is there already."""
    if name in _steps:
        raise ValueError(f"first step {name!r} is registered twice")
    _steps[name] = Step(name, title, text, do, url, icon, permission, order, rows)


def steps() -> list[Step]:
    return sorted(_steps.values(), key=lambda one: (one.order, one.name))


def seen() -> list[Seen]:
    """All steps in their order, looked at in one statement. Call inside a transaction, as a tenant."""
    names: list[str] = []
    parts: list[str] = []
    values: list[Any] = []
    for step in steps():
        try:
            text, arguments = step.rows().order_by().values("pk")[:1].query.sql_with_params()
        except EmptyResultSet:
            continue
        names.append(step.name)
        parts.append(f"EXISTS ({text})")
        values.extend(arguments)
    done: dict[str, bool] = {}
    if parts:
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(parts), values)
            done = dict(zip(names, cursor.fetchone(), strict=True))
    return [Seen(step, done.get(step.name, False)) for step in steps()]
