"""The page of support is what the code says, and no adapter goes without its suite."""

from __future__ import annotations

import os

import pytest

from payments.providers.base import providers
from sms.channels.base import channels
from tests.support_page import PATH, page, suite_of


def test_the_page_of_support_is_what_the_code_says() -> None:
    if os.environ.get("SUPPORT_PAGE") == "write":
        PATH.write_text(page())
    assert PATH.read_text() == page()


@pytest.mark.parametrize(
    ("app", "attribute", "name"),
    [
        *[("payments", "provider", name) for name in providers.names()],
        *[("sms", "channel", name) for name in channels.names()],
    ],
)
def test_every_adapter_has_its_suite_and_skips_only_for_what_the_page_names(
    app: str, attribute: str, name: str
) -> None:
    suite = suite_of(app, attribute, name)
    needed = {one for test in suite.its_tests().values() for one in getattr(test, "needs", ())}
    assert needed <= set(suite.capabilities)
    assert len(suite.its_tests()) > 20


def test_an_adapter_without_a_suite_is_noticed() -> None:
    with pytest.raises(LookupError, match="no suite"):
        suite_of("payments", "provider", "nagad")
    with pytest.raises(LookupError, match="runs no suite"):
        suite_of("payments", "provider", "services")
