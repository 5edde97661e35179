"""Registries of the shell."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.permissions import PERMISSIONS
from ispbilling.kernel import counters, nav


def test_every_entry_has_an_address_a_permission_and_an_icon(settings: object) -> None:
    sprite = (settings.BASE_DIR / "static/img/icons.svg").read_text()  # type: ignore[attr-defined]
    for entry in (*nav.entries(), *nav.actions()):
        assert reverse(entry.url)
        assert entry.permission in PERMISSIONS
        assert f'id="{entry.icon}"' in sprite, entry.icon


def test_every_counter_stands_at_an_entry() -> None:
    entries = {entry.url for entry in nav.entries()}
    for counter in counters.counters():
        assert counter.url in entries
        assert counter.permission in PERMISSIONS


def test_entries_come_by_group_and_order() -> None:
    order = [(list(nav.GROUPS).index(entry.group), entry.order) for entry in nav.entries()]
    assert order == sorted(order)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "dashboard:home"},
        {"url": "dashboard:nowhere", "keys": "g h"},
        {"url": "dashboard:nowhere", "group": "cellar"},
    ],
)
def test_what_is_taken_or_unknown_is_a_bug(wrong: dict[str, str]) -> None:
    asked = {"group": "operate", "title": "x", "icon": "user", "permission": "dashboard:view", **wrong}
    with pytest.raises(ValueError, match=r"twice|taken|no group"):
        nav.register(order=1, **asked)  # type: ignore[arg-type]
