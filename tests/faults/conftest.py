"""The house, for all tests of this folder: started once, entered by each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.house import House
from tests.faults.turns import is_thorough


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module with much to choose from says by ``chosen`` what is played: all of it, or what has its turn today."""
    choose = getattr(metafunc.module, "chosen", None)
    if choose is not None:
        for name, values, ids in choose(is_thorough(metafunc.config)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values, ids=ids)


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
