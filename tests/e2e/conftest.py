"""One house, one town and one browser for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import CHROMIUM, browser_open
from tests.e2e.town import Town
from tests.faults.house import House


@pytest.fixture(scope="module")
def town(django_db_blocker: Any) -> Iterator[Town]:
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


@pytest.fixture(scope="module")
def browser(town: Town) -> Iterator[Browser]:
    with browser_open() as opened:
        yield opened
