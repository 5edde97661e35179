"""The suite at routers this project did not make: small servers with habits of their own, and any you name.

``ROUTEROS_HOST`` (with ``ROUTEROS_PORT``, ``ROUTEROS_USER``, ``ROUTEROS_PASSWORD``, ``ROUTEROS_TLS=yes``) adds a server
of yours, real or not. Rows that were there are left alone, those made there are removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest

from network.drivers.mikrotik import MikroTik
from tests.network.conformance import DriverConformance
from tests.network.other_routers import HABITS, OtherRouter
from tests.network.plain import Site


def site_named(environment: Mapping[str, str]) -> Site | None:
    """The server the environment names, None for none."""
    host = environment.get("ROUTEROS_HOST")
    if not host:
        return None
    use_tls = environment.get("ROUTEROS_TLS", "no").lower() in ("yes", "true", "1")
    return Site(
        name="elsewhere",
        host=host,
        port=int(environment.get("ROUTEROS_PORT") or (8729 if use_tls else 8728)),
        user=environment.get("ROUTEROS_USER", "admin"),
        password=environment.get("ROUTEROS_PASSWORD", ""),
        use_tls=use_tls,
    )


ELSEWHERE = site_named(os.environ)


@pytest.fixture(scope="module", params=[*HABITS, *(["elsewhere"] * bool(ELSEWHERE))])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if request.param == "elsewhere":
        assert ELSEWHERE is not None
        yield ELSEWHERE
        return
    router = OtherRouter(HABITS[request.param])
    yield Site(request.param, "127.0.0.1", router.port, router.user, router.password, subscribers=router)
    router.stop()


class TestOtherRouters(DriverConformance):
    driver = MikroTik


def test_a_server_is_named_by_the_environment() -> None:
    assert site_named({}) is None
    assert site_named({"ROUTEROS_HOST": "10.0.0.1"}) == Site("elsewhere", "10.0.0.1", 8728, "admin", "")
    assert site_named(
        {"ROUTEROS_HOST": "::1", "ROUTEROS_USER": "u", "ROUTEROS_PASSWORD": "p", "ROUTEROS_TLS": "yes"}
    ) == (Site("elsewhere", "::1", 8729, "u", "p", use_tls=True))
