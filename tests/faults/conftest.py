"""The house, for all tests of this folder: started once, entered by each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.house import House


@pytest.fixture(scope="session")
def standing_house() -> Iterator[House]:
    house = House()
    house.start()
    yield house
    house.stop()


@pytest.fixture
def house(standing_house: House, django_db_blocker: Any) -> Iterator[House]:
    with standing_house.entered(django_db_blocker):
        yield standing_house
