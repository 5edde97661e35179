"""A farm of simulated routers, and a tenant on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.routeros import RouterFarm, SimRouter


@pytest.fixture(scope="module")
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@pytest.fixture
def far(farm: RouterFarm) -> Iterator[SimRouter]:
    router = farm.add("r", users={"billing": "billing-api"}, redial_s=0.05)
    yield router
    router.power(False)
    del farm.routers["r"]


@pytest.fixture
def place(far: SimRouter) -> Any:
    # Only here: this file is read before Django is set up.
    from tests.network.place import Place

    return Place(far)
