"""Packages by the API: made, changed, taken away; and as the customer's app sees them."""

from __future__ import annotations

from typing import Any

import pytest

from ispbilling.kernel import outbox, tenancy
from network.models import Line
from packages.models import Package
from tests import factories
from tests.programs import Program, staff, subscriber

NEW = {"name": "Home 10", "price": "1500", "downloadSpeed": 10_000, "uploadSpeed": 5_000}


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


@pytest.fixture
def owner(tenant: Any) -> Program:
    return staff(tenant)


def test_a_package_is_made_shown_changed_and_taken_away(owner: Program) -> None:
    made = owner.post("/api/packages", NEW)
    assert made.status_code == 201
    body = made.json()
    assert body == {
        "id": body["id"], "name": "Home 10", "description": "", "price": "1500.00", "currency": "KES",
        "speed": "10 Mbps", "downloadSpeed": 10_000, "uploadSpeed": 5_000, "periodUnit": "month", "periodCount": 1,
        "isActive": True, "isFeatured": False, "sortOrder": 0,
    }  # fmt: skip
    for method in ("PUT", "PATCH"):
        changed = owner.ask(method, f"/api/packages/{body['id']}", {"price": "1600.50"})
        assert (changed.status_code, changed.json()["price"], changed.json()["name"]) == (200, "1600.50", "Home 10")
    assert owner.get("/api/packages").json()["total"] == 1
    assert owner.ask("DELETE", f"/api/packages/{body['id']}").status_code == 204
    assert owner.get(f"/api/packages/{body['id']}").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price": -1}, "price"), ({"price": "NaN"}, "price"), ({"price": "1e99"}, "price"), ({"price": None}, "price"),
        ({"downloadSpeed": 10**30}, "downloadSpeed"), ({"downloadSpeed": 1}, "downloadSpeed"),
        ({"periodUnit": "year"}, "periodUnit"), ({"name": "x\x00"}, "name"), ({"name": "\ud800"}, "name"),
        ({"name": ""}, "name"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_makes_no_package_is_said_by_field(change: dict[str, Any], field: str, owner: Program) -> None:
    answer = owner.post("/api/packages", {**NEW, **change})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert list(answer.json()["error"]["fields"]) == [field]
    assert Package.objects.count() == 0


def test_a_name_is_given_once(owner: Program) -> None:
    owner.post("/api/packages", NEW)
    other = owner.post("/api/packages", {**NEW, "name": "Other"}).json()["id"]
    assert owner.post("/api/packages", NEW).json()["error"]["code"] == "package.name"
    assert owner.ask("PATCH", f"/api/packages/{other}", {"name": "Home 10"}).status_code == 409


def test_a_package_somebody_has_stays_and_can_go_off_sale(owner: Program) -> None:
    package = factories.package_make()
    factories.subscription_make(package=package)
    assert owner.ask("DELETE", f"/api/packages/{package.id}").json()["error"]["code"] == "package.in_use"
    assert owner.ask("PATCH", f"/api/packages/{package.id}", {"isActive": False}).json()["isActive"] is False


def test_a_new_speed_goes_to_the_lines_that_have_the_package(owner: Program, tenant: Any) -> None:
    package = factories.package_make()
    line = factories.line_make(package=package)
    owner.ask("PATCH", f"/api/packages/{package.id}", {"downloadSpeed": 20_000})
    for _ in range(2):  # the package's event tells the subscription's
        for shard in range(8):
            outbox.drain(shard)
    with tenancy.tenant_context(tenant.id):
        assert Line.objects.get(id=line.id).download_kbps == 20_000


def test_the_app_sees_what_is_on_sale_in_its_own_words(tenant: Any) -> None:
    line = factories.line_make(package=factories.package_make(name="B", sort_order=2))
    factories.package_make(name="A", sort_order=1, period_unit="day", period_count=7, download_kbps=512)
    Package.objects.filter(name="gone").update(is_active=False)
    found = subscriber(tenant, line).get("/api/client/packages").json()
    assert [row["name"] for row in found["packages"]] == ["A", "B"]
    assert found["packages"][0] == {
        "id": found["packages"][0]["id"], "name": "A", "speed": "512 kbps", "price": "1500.00", "currency": "KES",
        "validity_days": 7, "description": "", "features": ["↓ 512 kbps", "↑ 5 Mbps", "7 days"], "is_featured": False,
    }  # fmt: skip
