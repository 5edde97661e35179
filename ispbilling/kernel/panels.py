"""Slots of pages: the app that owns a thing registers its panel, the page that shows it imports nobody."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Panel:
    """``url`` is a URL name taking the page's object id; the page loads it when the viewer has ``permission``."""

    url: str
    title: str | Promise
    order: int
    permission: str


_slots: dict[str, list[Panel]] = {}


def register(slot: str, *, url: str, title: str | Promise, order: int, permission: str) -> None:
    """Add a panel to a slot. Raises ValueError for a URL that is there already."""
    panels = _slots.setdefault(slot, [])
    if any(panel.url == url for panel in panels):
        raise ValueError(f"panel {url!r} is registered twice in {slot!r}")
    panels.append(Panel(url=url, title=title, order=order, permission=permission))
    panels.sort(key=lambda panel: panel.order)


def panels_of(slot: str) -> list[Panel]:
    return list(_slots.get(slot, ()))
