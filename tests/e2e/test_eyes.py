"""Every page as each of its people sees it, looked at by ``eyes``."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e import eyes
from tests.e2e.town import CUSTOMER, VISITOR, Town
from tests.e2e.walker import walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(2400)]

PEOPLE = ("owner", "admin", "billing", "support", "technician", CUSTOMER, VISITOR)
#: Walks of many minutes: with ``--thorough``.
LONG = ("owner", "admin", "billing")


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """What the people before have looked at already."""
    return set()


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_somebody_comes_to_is_good_to_all_eyes(
    request: pytest.FixtureRequest, seen: set[str], who: str
) -> None:
    if who in LONG and not request.config.getoption("--thorough"):
        pytest.skip("a long walk: with --thorough")
    town: Town = request.getfixturevalue("town")
    browser: Browser = request.getfixturevalue("browser")
    wrong: dict[str, list[str]] = {}
    with town.visit(browser, who) as tab:
        for number, place in enumerate(walk(tab, who, seen)):
            # The navigation is the same on every page: its keys are tried on the first.
            found = eyes.look(tab, with_shell=number == 0 or who in (CUSTOMER, VISITOR)) + tab.complaints
            tab.complaints.clear()
            if found:
                wrong[f"{place.name} {place.path}"] = found
    assert wrong == {}, "\n".join(f"{name}\n  " + "\n  ".join(found) for name, found in wrong.items())
