"""What every page knows: theme and habits of its reader, and the staff's navigation as far as their role goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from ispbilling.kernel import counters, nav

DENSITIES = ("comfortable", "compact")


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the sidebar for one reader. ``current`` is what ``aria-current`` says, or nothing."""

    label: str
    url: str
    icon: str
    keys: str
    current: str
    count: int
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class Bell:
    """Where the bell leads, and whether it says that something is wrong."""

    url: str
    rings: bool


def page(request: HttpRequest) -> dict[str, Any]:
    """Theme, density, keys; ``nav`` (groups of items), ``bell``, ``palette`` are made when a template asks for them."""
    own = getattr(request.user, "theme", "") if getattr(request, "membership", None) is not None else ""
    of_device = request.headers.get("Sec-CH-Prefers-Color-Scheme", "").strip('"')
    theme = own or request.COOKIES.get("theme") or of_device
    density = request.COOKIES.get("density", "")
    nav_seen: Any = SimpleLazyObject(lambda: _nav(request))
    return {
        "theme": theme if theme in ("dark", "light") else "dark",
        "density": density if density in DENSITIES else DENSITIES[0],
        "shortcuts_on": request.COOKIES.get("shortcuts") != "off",
        "languages": settings.LANGUAGE_OWN_NAMES.items(),
        "nav": nav_seen,
        "palette": SimpleLazyObject(lambda: _palette(request, nav_seen)),
        "bell": SimpleLazyObject(lambda: _bell(request)),
    }


def _counts(request: HttpRequest) -> dict[str, int]:
    """What the reader may know of the tenant's counts."""
    known: dict[str, int] | None = getattr(request, "nav_counts", None)
    if known is None:
        granted = request.granted  # type: ignore[attr-defined]
        all_counts = counters.counts_of(request.tenant.id)  # type: ignore[attr-defined]
        known = {one.url: all_counts.get(one.url, 0) for one in counters.counters() if one.permission in granted}
        request.nav_counts = known  # type: ignore[attr-defined]
    return known


def _nav(request: HttpRequest) -> list[dict[str, Any]]:
    if getattr(request, "membership", None) is None:
        return []
    seen = [one for one in nav.entries() if one.permission in request.granted]  # type: ignore[attr-defined]
    addresses = {one.url: reverse(one.url) for one in seen}
    here = _current(request.path, addresses)
    counts = _counts(request)
    alarms = {one.url for one in counters.counters() if one.is_alarm}
    groups = []
    for group, title in nav.GROUPS.items():
        items = [
            Item(
                label=str(one.title),
                url=addresses[one.url],
                icon=one.icon,
                keys=one.keys,
                current=("page" if addresses[one.url] == request.path else "true") if one.url == here else "",
                count=counts.get(one.url, 0),
                is_alarm=one.url in alarms,
            )
            for one in seen
            if one.group == group
        ]
        if items:
            groups.append({"name": group, "title": title, "entries": items})
    return groups


def _palette(request: HttpRequest, seen: list[dict[str, Any]]) -> str:
    """The command palette: the pages of the sidebar, what the reader may do, and whether he may look for customers."""
    granted: frozenset[str] = getattr(request, "granted", frozenset())
    groups = tuple(
        (group["name"], str(group["title"]), tuple(replace(one, current="", count=0) for one in group["entries"]))
        for group in seen
    )
    actions = tuple(
        (str(one.title), reverse(one.url), one.icon, one.keys) for one in nav.actions() if one.permission in granted
    )
    return _palette_drawn(get_language(), groups, actions, "customers:view" in granted)


@lru_cache(maxsize=64)
def _palette_drawn(
    _language: str | None,
    groups: tuple[tuple[str, str, tuple[Item, ...]], ...],
    actions: tuple[tuple[str, str, str, str], ...],
    may_find: bool,
) -> str:
    """Drawn once for all readers who see the same: all that it says is said in the arguments."""
    context = {
        "nav": [{"name": name, "title": title, "entries": entries} for name, title, entries in groups],
        "actions": [dict(zip(("label", "url", "icon", "keys"), one, strict=True)) for one in actions],
        "may_find": may_find,
    }
    return render_to_string("dashboard/_palette.html", context)


def _current(path: str, addresses: dict[str, str]) -> str:
    """The entry a page belongs to: its own, or the one whose address its own begins with. Home begins all."""
    home = reverse("dashboard:home")
    fitting = [
        url for url, address in addresses.items() if path == address or (address != home and path.startswith(address))
    ]
    return max(fitting, key=lambda url: len(addresses[url]), default="")


def _bell(request: HttpRequest) -> Bell | None:
    """Nothing for whoever may see neither health nor cuts."""
    if getattr(request, "membership", None) is None:
        return None
    counts = _counts(request)
    for one in counters.counters():
        if one.is_alarm and counts.get(one.url):
            return Bell(reverse(one.url), rings=True)
    granted = request.granted  # type: ignore[attr-defined]
    for permission, url in (("health:view", "dashboard:health"), ("cuts:view", "billing:cuts")):
        if permission in granted:
            return Bell(reverse(url), rings=False)
    return None
