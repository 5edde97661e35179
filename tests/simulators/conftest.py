"""A farm of routers for each module, a router for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.control import ControlServer
from simulators.routeros import RouterFarm, SimRouter, control_handlers
from tests.simulators.raw import column


@pytest.fixture(scope="module")
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@pytest.fixture
def router(farm: RouterFarm) -> Iterator[SimRouter]:
    users = {"admin": "pw", "billing": "pw"}
    router = farm.add("r", has_tls=True, users=users, version="7.18 (stable)", redial_s=0.05)
    yield router
    farm.remove("r")


@pytest.fixture
def control(farm: RouterFarm) -> Iterator[ControlServer]:
    control = ControlServer(control_handlers(farm))
    control.start()
    yield control
    control.stop()


@pytest.fixture
def ids(router: SimRouter) -> list[str]:
    """The ids of ten secrets."""
    router.secrets_add(10)
    router.journal_clear()
    return column(router, ".id")
