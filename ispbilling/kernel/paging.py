"""Keyset paging: the same cost on the thousandth page, and nothing skipped while rows arrive."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db import models
from django.http import HttpRequest

from ispbilling.kernel.text import foreign

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and where to go on. URLs are relative to the page itself; None where there is nothing."""

    rows: list[M]
    previous_url: str | None
    next_url: str | None
    label: str = ""


def page_of(
    request: HttpRequest, rows: models.QuerySet[M], *, by: str, size: int = 25, is_ascending: bool = False
) -> Page[M]:
    """The page of ``rows`` in the order of (``by``, id) that the query string asks for: newest first, unless said
    otherwise. ``by`` is a column of instants or of text, without empty ones. Garbage gives the first page.
    """
    is_instant = isinstance(rows.model._meta.get_field(by), models.DateTimeField)
    cursor = _read(request.GET.get("after", ""), is_instant)
    back = _read(request.GET.get("before", ""), is_instant)
    onwards, backwards = ("gt", "lt") if is_ascending else ("lt", "gt")
    order = [by, "id"] if is_ascending else [f"-{by}", "-id"]
    if back is not None:
        turned = [f"-{by}", "-id"] if is_ascending else [by, "id"]
        found = list(_beyond(rows, by, back, backwards).order_by(*turned)[: size + 1])
        has_previous, has_next = len(found) > size, True
        shown = found[:size][::-1]
    else:
        if cursor is not None:
            rows = _beyond(rows, by, cursor, onwards)
        found = list(rows.order_by(*order)[: size + 1])
        has_previous, has_next = cursor is not None, len(found) > size
        shown = found[:size]
    first, last = (shown[0], shown[-1]) if shown else (None, None)
    return Page(
        shown,
        _url(request, "before", by, first) if has_previous and first is not None else None,
        _url(request, "after", by, last) if has_next and last is not None else None,
    )


def _beyond(rows: models.QuerySet[M], by: str, cursor: list[str], way: str) -> models.QuerySet[M]:
    """The bound of ``by`` alone stands beside the whole comparison: it is what an index is entered by."""
    value, row_id = cursor
    beyond = models.Q(**{f"{by}__{way}": value}) | models.Q(**{by: value, f"id__{way}": row_id})
    return rows.filter(**{f"{by}__{way}e": value}).filter(beyond)


def _url(request: HttpRequest, name: str, by: str, row: models.Model) -> str:
    value = getattr(row, by)
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else value, str(row.pk)])
    kept = {key: value for key, value in request.GET.items() if key not in ("after", "before")}
    return "?" + urlencode({**kept, name: base64.urlsafe_b64encode(text.encode()).decode()})


def _read(text: str, is_instant: bool) -> list[str] | None:
    try:
        value, row_id = json.loads(base64.urlsafe_b64decode(text.encode()))
        if is_instant:
            datetime.fromisoformat(value)
        elif not isinstance(value, str) or "\0" in value:
            return None
        UUID(row_id)
    except (ValueError, TypeError, AttributeError):
        return None
    return [value, row_id]


def search_term(request: HttpRequest) -> str:
    """What was typed into a page's search, bounded, without what no column holds."""
    found: Any = request.GET.get("q", "")
    return foreign(found, 80)


def instant_of(text: str) -> datetime | None:
    """An instant with its zone from a query string; None for anything else."""
    try:
        # A space is what became of an unescaped plus sign.
        found = datetime.fromisoformat(text.replace(" ", "+"))
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
