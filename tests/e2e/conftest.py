"""One house, one town and one browser for all of this folder.

The product is imported in the fixtures: when this folder is run alone, pytest reads this file before
``tests/conftest.py`` has set Django up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser

from tests.browser import CHROMIUM, browser_open

if TYPE_CHECKING:
    from tests.e2e.town import Town


@pytest.fixture(scope="package")
def town(django_db_blocker: Any) -> Iterator[Town]:
    from tests.e2e.town import Town
    from tests.faults.house import House

    if not CHROMIUM.exists():
        pytest.skip(f"No browser at {CHROMIUM}. As root: apt-get install -y chromium")
    house = House()
    town = Town(house, django_db_blocker)
    try:
        house.start()
        town.open()
        yield town
        town.close()
    finally:
        house.stop()


# Only for its module: while playwright's loop runs in this process, Django takes every other test for asynchronous.
@pytest.fixture(scope="module")
def browser(town: Town) -> Iterator[Browser]:
    with browser_open() as opened:
        yield opened
