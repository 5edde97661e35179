"""The staff's navigation: each app registers its pages, the shell shows them, the command palette finds them.

The kernel knows no role: whoever shows entries leaves out what the viewer's permissions do not reach.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

#: Groups in the order of the sidebar, with their titles.
GROUPS: dict[str, str | Promise] = {
    "operate": pgettext_lazy("navigation", "Operate"),
    "revenue": pgettext_lazy("navigation", "Revenue"),
    "network": pgettext_lazy("navigation", "Network"),
    "insight": pgettext_lazy("navigation", "Insight"),
    "house": pgettext_lazy("navigation", "House"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the sidebar. ``url`` is a URL name without arguments, ``keys`` a sequence such as ``g c``."""

    group: str
    url: str
    title: str | Promise
    icon: str
    permission: str
    order: int
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, for the command palette alone: ``url`` opens its form."""

    url: str
    title: str | Promise
    icon: str
    permission: str
    keys: str = ""


_entries: list[Entry] = []
_actions: list[Action] = []


def register(
    *, group: str, url: str, title: str | Promise, icon: str, permission: str, order: int, keys: str = ""
) -> None:
    """Add a page to the sidebar. Raises ValueError for an unknown group, and for a URL or keys that are taken."""
    if group not in GROUPS:
        raise ValueError(f"no group {group!r} (known: {', '.join(GROUPS)})")
    _free(url=url, keys=keys, among=_entries)
    _entries.append(Entry(group, url, title, icon, permission, order, keys))
    _entries.sort(key=lambda one: (list(GROUPS).index(one.group), one.order, one.url))


def action(*, url: str, title: str | Promise, icon: str, permission: str, keys: str = "") -> None:
    """Add something to do to the command palette. Raises ValueError for a URL or keys that are taken."""
    _free(url=url, keys=keys, among=_actions)
    _actions.append(Action(url, title, icon, permission, keys))


def entries() -> list[Entry]:
    """All pages, in the order of the sidebar."""
    return list(_entries)


def actions() -> list[Action]:
    return list(_actions)


def _free(*, url: str, keys: str, among: list[Entry] | list[Action]) -> None:
    if any(one.url == url for one in among):
        raise ValueError(f"{url!r} is registered twice")
    taken = {one.keys for one in _entries} | {one.keys for one in _actions}
    if keys and keys in taken:
        raise ValueError(f"the keys {keys!r} are taken")
