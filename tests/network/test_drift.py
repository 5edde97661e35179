"""Rows of ours that hands changed on a router: shown, kept or put right."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.entitlement import Level
from ispbilling.kernel import tenancy
from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.ids import uuid7
from network.drift import drift_of
from network.drivers.base import LineSeen, LineWanted, RouterState
from network.models import Drift, Router
from network.selectors import drift_counts, drifts_of, routers_due
from network.services import router_drift_correct, router_drift_policy_set, router_try
from simulators.routeros import SimRouter
from tests import factories
from tests.network.place import Place
from tests.outside import until

pytestmark = pytest.mark.usefixtures("committed")

WANTED = LineWanted("isp:t:1", "jane", Secret("pw"), "fast", True)


def seen(**given: Any) -> LineSeen:
    values = {"id": "*1", "mark": "isp:t:1", "username": "jane", "password": None, "profile": "fast"}
    return LineSeen(**{**values, "is_enabled": True, **given})


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (seen(), ""),
        (seen(password=Secret("pw")), ""),
        (None, "the row is gone"),
        (seen(mark=""), "the row lost our mark or belongs to somebody else"),
        (seen(username="june"), "renamed to “june”"),
        (seen(is_enabled=False), "disabled by hand"),
        (seen(profile="slow"), "put on the profile “slow” instead of “fast”"),
        (seen(password=Secret("other")), "another password"),
    ],
)
def test_what_a_hand_changed_is_said_in_words(line: LineSeen | None, text: str) -> None:
    lines = {} if line is None else {line.username: line}
    assert drift_of(WANTED, RouterState({}, lines, [])) == text


def test_a_blocked_line_that_was_let_in_by_hand(far: SimRouter) -> None:
    blocked = LineWanted("isp:t:1", "jane", Secret("pw"), "fast", False)
    assert drift_of(blocked, RouterState({}, {"jane": seen()}, [])) == "enabled by hand"


def paid_up(place: Place) -> Place:
    place.pay()
    place.converge()
    return place


def drifts(place: Place) -> list[tuple[str, str, int]]:
    with place.inside():
        return [(one.found, one.outcome, one.times) for one in drifts_of(place.router.id)]


def test_what_was_changed_is_put_right_and_written_down_once(place: Place) -> None:
    paid_up(place)
    for _ in range(2):
        place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=disabled=yes")
        place.audit()
    assert place.on_router()["disabled"] == "false"
    assert drifts(place) == [("disabled by hand", "corrected", 2)]


def test_a_row_that_is_gone_is_made_again(place: Place) -> None:
    paid_up(place)
    place.far.by_hand("/ppp/secret/remove", "=numbers=jane")
    place.audit()
    assert place.on_router()["profile"] == "isp-10000k-5000k"
    assert drifts(place) == [("the row is gone", "corrected", 1)]


def test_a_cut_reaches_a_session_whose_row_a_hand_removed(place: Place) -> None:
    """What is made again is behind the wall; whoever is still online by the row that is gone must dial again."""
    paid_up(place)
    until(place.far.truth)
    place.far.by_hand("/ppp/secret/remove", "=numbers=jane")
    place.let_pass(days=31)
    place.converge()
    assert (place.fresh().is_converged, place.on_router()["profile"]) == (True, "isp-walled")
    assert {one["profile"] for one in place.far.truth()} <= {"isp-walled"}


def test_where_the_operator_says_so_it_is_left_and_shown(place: Place) -> None:
    paid_up(place)
    with place.inside():
        router_drift_policy_set(router_id=place.router.id, policy="keep", actor=factories.ACTOR)
    place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=profile=default")
    for _ in range(3):
        place.audit()
    found = "put on the profile “default” instead of “isp-10000k-5000k”"
    assert (place.on_router()["profile"], drifts(place)) == ("default", [(found, "open", 1)])
    with place.inside():
        assert drift_counts() == {place.router.id: 1}
        assert router_drift_correct(router_id=place.router.id, actor=factories.ACTOR) == 1
    place.converge()
    assert (place.on_router()["profile"], drifts(place)) == ("isp-10000k-5000k", [(found, "corrected", 1)])


def test_a_kept_change_does_not_outlive_the_next_wish(place: Place) -> None:
    paid_up(place)
    with place.inside():
        router_drift_policy_set(router_id=place.router.id, policy="keep", actor=factories.ACTOR)
    place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=profile=default")
    place.audit()
    place.let_pass(days=31)
    place.converge()
    assert (place.on_router()["profile"], place.fresh().applied_level) == ("isp-walled", Level.WALLED)


def test_between_comparisons_only_sessions_are_read(place: Place) -> None:
    paid_up(place)
    place.far.journal_clear()
    place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=disabled=yes")
    place.converge()
    assert drifts(place) == []
    with place.inside():
        Router.objects.update(audited_at="2020-01-01T00:00:00Z")
    place.converge()
    assert drifts(place) == [("disabled by hand", "corrected", 1)]


def test_somebody_let_in_by_hand_is_put_out_at_the_next_reading(far: SimRouter) -> None:
    place = paid_up(Place(far, "blocked"))
    place.let_pass(days=31)
    place.converge()
    far.by_hand("/ppp/secret/set", "=numbers=jane", "=disabled=no")
    until(far.truth)
    place.converge()
    assert (far.truth(), place.on_router()["disabled"]) == ([], "true")
    assert drifts(place) == [("enabled by hand", "corrected", 1)]


def test_a_router_with_waiting_lines_is_tried_again_within_seconds(place: Place) -> None:
    place.converge()
    place.far.power(False)
    place.converge()
    with place.inside():
        Router.objects.update(retry_at="2099-01-01T00:00:00Z")  # a clock that ran ahead wrote this
        row = Router.objects.get()
    assert (place.tenant.id, row.id) in routers_due()
    place.far.power(True)


def test_staff_ask_a_router_at_once(place: Place) -> None:
    place.far.power(False)
    place.converge()
    place.far.power(True)
    assert place.converge() == "resting"
    with place.inside():
        router_try(router_id=place.router.id, actor=factories.ACTOR)
    assert place.converge() == "done"


def test_what_is_not_a_rule_or_not_there_is_refused(place: Place) -> None:
    with place.inside():
        with pytest.raises(DomainError):
            router_drift_policy_set(router_id=place.router.id, policy="perhaps", actor=factories.ACTOR)
        for act in (router_try, router_drift_correct):
            with pytest.raises(NotFound):
                act(router_id=uuid7(), actor=factories.ACTOR)


def test_the_page_shows_it_and_its_buttons_work(place: Place, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    member = factories.staff_make(place.tenant, "technician")
    client = Client(HTTP_HOST=f"{place.tenant.slug}.localhost")
    client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    paid_up(place)
    page = f"/dashboard/routers/{place.router.id}/"
    client.post(f"{page}drift/rule/", {"policy": "keep"})
    place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=disabled=yes")
    place.audit()
    text = client.get(page).content.decode()
    assert "disabled by hand" in text
    assert "Left as it is" in text
    client.post(f"{page}drift/correct/")
    place.converge()
    assert place.on_router()["disabled"] == "false"
    assert "Put right" in client.get(page).content.decode()
    assert client.post(f"{page}try/").status_code == 302
    with tenancy.tenant_context(place.tenant.id), place.inside():
        assert Drift.objects.count() == 1


def test_what_a_router_forgot_at_a_power_cut_is_written_again_at_the_first_reading(place: Place) -> None:
    place.converge()
    place.far.advance(3600)
    place.pay()
    place.converge()
    place.converge()
    place.far.fault_add("reboot", at="now", lose_writes=1)
    assert place.on_router()["profile"] == "isp-walled"
    place.converge()
    assert place.on_router()["profile"] == "isp-10000k-5000k"
