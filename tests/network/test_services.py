"""Lines and routers through the services, with RouterOS at the other end."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.entitlement import Level
from billing.models import Subscription
from billing.services import policy_set
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import Conflict, Refused
from ispbilling.kernel.failpoints import FailpointHit
from ispbilling.kernel.models import Event
from network.models import Line, Router, Session
from network.selectors import customers_online, online_count, routers_due
from network.services import router_check
from network.services.devices import lease_take
from simulators.routeros import SimRouter
from tests import factories
from tests.network.conformance import until
from tests.network.place import Place

pytestmark = pytest.mark.usefixtures("committed")


def test_a_line_nobody_paid_for_is_walled(place: Place) -> None:
    assert place.converge() == "done"
    assert (place.fresh().level, place.on_router()["profile"]) == (Level.WALLED, "isp-walled")


def test_paying_puts_it_on_its_speed(place: Place) -> None:
    place.converge()
    place.pay()
    place.converge()
    line = place.fresh()
    assert (line.level, line.applied_level, line.is_converged) == (Level.FULL, Level.FULL, True)
    assert place.on_router()["profile"] == "isp-10000k-5000k"


def test_what_changed_is_told_once(place: Place) -> None:
    place.converge()
    place.pay()
    place.converge()
    place.converge()
    with place.inside():
        levels = [one.payload["level"] for one in Event.objects.filter(name="network.access_changed").order_by("seq")]
    assert levels == ["walled", "full"]


def test_a_blocked_tenant_loses_session_and_secret(far: SimRouter) -> None:
    place = Place(far, "blocked")
    place.pay()
    place.converge()
    until(far.truth)
    place.let_pass(days=31)
    place.converge()
    assert far.truth() == []
    assert place.on_router()["disabled"] == "true"


def test_whoever_is_cut_already_is_cut_in_the_new_way_when_the_rule_changes(place: Place) -> None:
    place.pay()
    place.converge()
    place.let_pass(days=31)
    place.converge()
    assert place.on_router()["profile"] == "isp-walled"
    with place.inside():
        policy_set(changes={"suspension_mode": "blocked"}, actor=factories.ACTOR)
    place.drain()
    place.converge()
    assert (place.far.truth(), place.on_router()["disabled"]) == ([], "true")


def test_money_in_the_wallet_renews_before_any_cut(place: Place) -> None:
    place.pay("A")
    with place.inside():
        from tests.billing.test_receipts import booked

        booked(place.line.subscription, "1600", None, "B")
    place.let_pass(days=30, minutes=1)
    with place.inside():
        subscription = Subscription.objects.get()
        from billing.selectors import wallet_of

        left = wallet_of(subscription.customer_id, "KES").amount
    assert (subscription.state, subscription.periods, left) == (Subscription.State.ACTIVE, 2, Decimal("100.00"))


def test_a_change_by_hand_is_taken_back(place: Place) -> None:
    place.pay()
    place.converge()
    place.far.by_hand("/ppp/secret/set", "=numbers=jane", "=disabled=yes")
    place.audit()
    assert place.on_router()["disabled"] == "false"


def test_paid_while_the_router_is_away_is_online_when_it_comes_back(place: Place) -> None:
    place.converge()
    place.far.power(False)
    place.pay()
    assert place.converge() == "away"
    with place.inside():
        assert Router.objects.get().is_up is False
    place.far.power(True)
    assert place.converge() == "resting"
    with place.inside():
        Router.objects.update(failed_at=clock.machine_now() - Router.BACK_OFF_URGENT)
    assert place.converge() == "done"
    until(lambda: [one for one in place.far.truth() if one["address_lists"] == []])


def test_a_router_that_is_away_rests_longer_each_time(place: Place) -> None:
    place.far.power(False)
    pauses = []
    for _ in range(3):
        with place.inside():
            Router.objects.update(retry_at=None)
        place.converge()
        with place.inside():
            router = Router.objects.get()
        assert router.retry_at is not None
        pauses.append(round((router.retry_at - clock.machine_now()).total_seconds()))
    assert pauses == [2, 4, 8]
    place.far.power(True)


def test_a_run_that_died_after_writing_still_ends_the_old_session(place: Place, settings: Any, tmp_path: Any) -> None:
    place.pay()
    place.converge()
    until(lambda: [one for one in place.far.truth() if one["address_lists"] == []])
    place.let_pass(days=31)
    settings.FAILPOINTS_DIR = str(tmp_path)
    (tmp_path / "network.converge.after_apply").write_text("raise")
    with pytest.raises(FailpointHit):
        place.converge()
    settings.FAILPOINTS_DIR = None
    assert not place.fresh().is_converged
    place.converge()
    assert place.fresh().is_converged
    until(lambda: [one for one in place.far.truth() if one["address_lists"] == ["isp-walled"]])


def test_a_wish_that_came_while_we_spoke_is_not_taken_for_done(place: Place, settings: Any, tmp_path: Any) -> None:
    place.converge()
    with place.inside():
        Line.objects.update(generation=Line.objects.get().generation + 1)
    line = place.fresh()
    assert (line.generation, line.applied_generation, line.is_converged) == (2, 1, False)
    assert (place.tenant.id, place.router.id) in routers_due()


def test_one_writer_per_router(place: Place) -> None:
    with tenancy.tenant_context(place.tenant.id):
        assert lease_take(router_id=place.router.id) is not None
    assert place.converge() == "busy"


def test_a_line_of_somebody_elses_name_is_left_alone_and_says_so(place: Place) -> None:
    place.far.by_hand("/ppp/secret/add", "=name=jane", "=password=theirs")
    place.converge()
    assert place.on_router()["password"] == "theirs"
    assert place.fresh().last_error == "The router has a line of this name that is not ours."


def test_a_session_is_opened_counted_and_closed(place: Place) -> None:
    place.pay()
    place.converge()
    until(place.far.truth)
    place.converge()
    place.far.advance(60)
    place.converge()
    with place.inside():
        session = Session.objects.get(stopped_at=None)
    assert session.readings >= 2
    assert session.download_bytes > session.upload_bytes > 0
    place.far.cpe_remove("jane")
    place.converge()
    with place.inside():
        assert Session.objects.filter(stopped_at=None).count() == 0


def test_a_router_is_checked_and_remembered(place: Place) -> None:
    with tenancy.tenant_context(place.tenant.id):
        facts = router_check(router_id=place.router.id)
    with place.inside():
        router = Router.objects.get()
    assert facts.identity == "r"
    assert (router.is_up, router.version) == (True, "7.16.1 (stable)")


def test_a_wrong_password_is_told(place: Place) -> None:
    place.far.set(users={"billing": "changed"})
    with tenancy.tenant_context(place.tenant.id), pytest.raises(Refused):
        router_check(router_id=place.router.id)
    with place.inside():
        assert "refused the user name or password" in Router.objects.get().last_error


def test_a_user_name_is_given_once_per_router(place: Place) -> None:
    with place.inside(), pytest.raises(Conflict):
        factories.line_make(router=place.router, username="jane")


def test_what_a_router_refuses_is_tried_again_at_the_next_reading_and_not_at_once(place: Place) -> None:
    place.converge()
    place.far.by_hand("/ppp/secret/remove", "=numbers=jane")
    place.far.by_hand("/ppp/secret/add", "=name=jane", "=password=theirs")
    with place.inside():
        Line.objects.update(generation=2)
    place.converge()
    assert (place.tenant.id, place.router.id) not in routers_due()
    place.far.by_hand("/ppp/secret/remove", "=numbers=jane")
    place.audit()
    assert place.fresh().is_converged


def test_a_contact_costs_as_many_statements_for_many_lines_as_for_few(place: Place) -> None:
    def cost(*lines: str) -> int:
        with place.inside():
            package = factories.package_make()
            for name in lines:
                factories.line_make(router=place.router, package=package, username=name, password="pw")
        with CaptureQueriesContext(connection) as captured:
            place.audit()
        return len(captured)

    cost("first")
    assert cost("second") == cost(*(f"u{number}" for number in range(60)))


# --- what is written and still not as wanted ---------------------------------------------------------------------


def test_whoever_dials_in_between_reading_and_writing_does_not_stay(place: Place, settings: Any, tmp_path: Any) -> None:
    place.pay()
    place.converge()
    until(place.far.truth)
    place.far.cpe_remove("jane")
    place.let_pass(days=31)
    settings.FAILPOINTS_DIR = str(tmp_path)
    armed = tmp_path / "network.converge.before_apply"
    armed.write_text("wait")
    contact = threading.Thread(target=lambda: (place.converge(), connection.close()))
    contact.start()
    until((tmp_path / "network.converge.before_apply.reached").exists)
    place.far.subscriber_dial("jane", "pw", "AA:BB:CC:00:00:01")
    assert [one["address_lists"] for one in place.far.truth()] == [[]]
    armed.unlink()
    contact.join(30)
    settings.FAILPOINTS_DIR = None
    assert place.far.truth() == []  # ended; his next session is walled
    assert place.fresh().applied_level == Level.WALLED


def test_a_wall_the_router_does_not_keep_is_no_wall(place: Place) -> None:
    place.pay()
    place.converge()
    place.let_pass(days=31)
    place.far.by_hand("/ppp/profile/add", "=name=isp-walled", "=rate-limit=1M/1M", "=comment=theirs")
    place.converge()
    line = place.fresh()
    assert (line.is_converged, "isp-walled" in line.last_error) == (False, True)
    with place.inside():
        assert Event.objects.filter(name="network.access_changed", payload__level="walled").count() == 0
    place.far.by_hand("/ppp/profile/set", "=numbers=isp-walled", "=comment=isp:profile")
    place.audit()
    assert place.fresh().applied_level == Level.WALLED


def test_a_writer_that_was_too_slow_takes_nothing_back(place: Place, settings: Any, tmp_path: Any) -> None:
    place.converge()
    place.pay()
    settings.FAILPOINTS_DIR = str(tmp_path)
    armed = tmp_path / "network.converge.before_record"
    armed.write_text("wait")
    slow = threading.Thread(target=lambda: (place.converge(), connection.close()))
    slow.start()
    until((tmp_path / "network.converge.before_record.reached").exists)
    with place.inside():  # its lease ran out, and another writer saw a newer wish hold
        Line.objects.update(generation=9, applied_generation=9)
    armed.unlink()
    slow.join(30)
    settings.FAILPOINTS_DIR = None
    assert place.fresh().applied_generation == 9


def test_nobody_is_counted_online_on_a_router_that_does_not_answer(place: Place) -> None:
    place.pay()
    place.converge()
    until(place.far.truth)
    place.converge()
    with place.inside():
        assert (online_count(), customers_online([place.line.customer_id])) == (1, {place.line.customer_id})
    place.far.power(False)
    place.converge()
    with place.inside():
        assert (online_count(), customers_online([place.line.customer_id])) == (0, set())
    place.far.power(True)


def test_the_lease_of_a_worker_that_died_on_this_machine_is_taken_at_once(place: Place) -> None:
    with tenancy.tenant_context(place.tenant.id):
        assert lease_take(router_id=place.router.id) is not None
    assert (place.tenant.id, place.router.id) not in routers_due()
    with place.inside():
        holder = Router.objects.get().lease_holder.split(" ")
        Router.objects.update(lease_holder=" ".join([*holder[:3], "1"]))
    assert (place.tenant.id, place.router.id) in routers_due()
    assert place.converge() == "done"
