"""Names in braces, and nothing else."""

from __future__ import annotations

import pytest

from sms.filling import filled, names_in, unknown_in
from sms.wording import FIELDS, WORDINGS


def test_names_take_their_values() -> None:
    assert filled("{isp}: hello, {name}.", {"isp": "Net", "name": "Jane"}) == "Net: hello, Jane."


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert filled("{name}", {"name": "{code}", "code": "482915"}) == "{code}"


@pytest.mark.parametrize("text", ["{name.__class__}", "{name!r}", "{name:>9999999}", "{0}", "{}", "{{name", "}"])
def test_nothing_but_a_name_is_understood(text: str) -> None:
    assert unknown_in(text, {"name"}) != []


@pytest.mark.parametrize("text", ["{name.__class__}", "{name!r}", "{name:>9}", "{stranger}"])
def test_what_is_no_known_name_stands_as_it_was_typed(text: str) -> None:
    assert filled(text, {"name": "Jane"}) == text


def test_what_is_unknown_is_named_once_and_in_order() -> None:
    assert unknown_in("{b} {name} {a} {b} {", {"name"}) == ["{b}", "{a}", "{"]


@pytest.mark.parametrize("code", WORDINGS)
def test_every_built_in_text_is_one_a_tenant_might_keep(code: str) -> None:
    wording = WORDINGS[code]
    for text in wording.texts.values():
        assert unknown_in(text, wording.fields) == []
        assert names_in(text) >= wording.needed


def test_every_name_has_a_meaning_and_an_example() -> None:
    assert {name for wording in WORDINGS.values() for name in wording.fields} == set(FIELDS)
