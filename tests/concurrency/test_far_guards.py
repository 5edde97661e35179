"""Guards at the far ends, by what happens without them: one writer to a router, reading after writing, one sender."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Q

from ispbilling.kernel import clock, tenancy
from network.convergence import difference, profile_of, right_now
from network.drivers.base import drivers
from network.models import Line, Router
from network.services import router_converge
from network.services.convergence import wanted_of
from network.services.devices import lease_take, target_of
from simulators.africastalking import AfricasTalking
from simulators.routeros import RouterFarm, SimRouter
from sms.channels.base import ChannelSettings, Outgoing, channels
from sms.models import Message
from sms.services import channel_account_add, message_send, messages_send
from tests import factories
from tests.concurrency.test_money_races import at_once, inside

TOGETHER = 4
PHONE = "+254712345678"


@pytest.fixture
def router() -> Iterator[SimRouter]:
    farm = RouterFarm()
    farm.start()
    yield farm.add("tower", users={"billing": "billing-api"}, latency_ms=250)
    farm.stop()


@pytest.fixture
def place(committed: None, router: SimRouter) -> tuple[UUID, Router]:
    """A tenant with one walled line that its router has not heard of yet."""
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        made = factories.router_make(port=router.port)
        factories.line_make(router=made, username="jane", password="pw")
    return tenant.id, made


def contact(tenant: UUID, made: Router) -> bool:
    """A contact as the product makes it, without lease and without reading again. Whether all was taken."""
    with tenancy.tenant_context(tenant), transaction.atomic():
        lines = list(Line.objects.all())
    with drivers.get(made.driver).connect(target_of(made)) as link:
        found = difference(
            profiles={profile_of(line.level, line.download_kbps, line.upload_kbps) for line in lines},
            lines=[wanted_of(line) for line in lines],
            unconfirmed=set(),
            state=link.read(),
        )
        return not link.apply(found.plan).refused


def test_without_the_lease_several_write_to_one_router_at_once(place: tuple[UUID, Router], router: SimRouter) -> None:
    at_once(TOGETHER, lambda _number: contact(*place))
    assert router.max_open_logins("billing") > 1


def test_with_the_lease_one_writes_and_the_others_go_away(place: tuple[UUID, Router], router: SimRouter) -> None:
    tenant, made = place

    def converge(_number: int) -> str:
        with tenancy.tenant_context(tenant):
            return router_converge(router_id=made.id)

    done = at_once(TOGETHER, converge)
    assert sorted(done) == ["busy"] * (TOGETHER - 1) + ["done"]
    assert router.max_open_logins("billing") == 1


def test_whoever_looked_at_the_clock_before_the_lease_was_taken_does_not_take_it_too(
    place: tuple[UUID, Router],
) -> None:
    tenant, made = place
    with tenancy.tenant_context(tenant), transaction.atomic():
        before = Q(lease=None) | clock.has_come("lease_until", longest=Router.LEASE)
    with tenancy.tenant_context(tenant):
        assert lease_take(router_id=made.id) is not None
        with transaction.atomic():
            assert not Router.objects.filter(before, id=made.id).exists()


#: Somebody at the router undoes what was written, at the moment it was written and before that is said.
UNDONE = {
    "at": "/ppp/secret/add",
    "when": "applied",
    "sentence": ["/ppp/secret/set", "=numbers={any}", "=disabled=yes"],
}


def test_without_reading_again_what_was_written_is_believed_though_it_is_not_so(
    place: tuple[UUID, Router], router: SimRouter
) -> None:
    router.fault_add("by_hand", **UNDONE)
    assert contact(*place)
    tenant, made = place
    with tenancy.tenant_context(tenant), transaction.atomic():
        line = Line.objects.get()
    with drivers.get(made.driver).connect(target_of(made)) as link:
        assert not right_now(wanted_of(line), link.read())


def test_with_reading_again_only_what_was_seen_is_believed(place: tuple[UUID, Router], router: SimRouter) -> None:
    router.fault_add("by_hand", **UNDONE)
    tenant, made = place
    with tenancy.tenant_context(tenant):
        assert router_converge(router_id=made.id) == "done"
        with transaction.atomic():
            line = Line.objects.get()
            assert (line.is_converged, line.applied_level) == (False, "")
            assert line.last_error != ""
        assert router_converge(router_id=made.id) == "done"
        with transaction.atomic():
            assert Line.objects.get().is_converged


# --- one sender of a message ----------------------------------------------------------------------------------


@pytest.fixture
def texts() -> Iterator[AfricasTalking]:
    made = AfricasTalking(apps={"isp": "PLANTED-9f2c"})
    made.start()
    made.faults.arm("latency", seconds=0.3)
    yield made
    made.stop()


@pytest.fixture
def sender(committed: None, texts: AfricasTalking) -> UUID:
    """A tenant with one message that is due."""
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        config = {"username": "isp", "api_key": "PLANTED-9f2c"}
        channel_account_add(
            channel="africastalking", label="SMS", config=config, base_url=texts.url, actor=factories.ACTOR
        )
        message_send(code="portal_code", key="k", to=PHONE, values={"code": "123456"})
    found: UUID = tenant.id
    return found


def test_without_being_claimed_a_message_is_sent_by_every_worker(sender: UUID, texts: AfricasTalking) -> None:
    channel = channels.get("africastalking")(ChannelSettings({"username": "isp", "api_key": "PLANTED-9f2c"}, texts.url))

    def naive(_number: int) -> None:
        due: list[Any] = inside(sender, lambda: list(Message.objects.filter(next_try_at__lte=clock.machine_now())))(0)
        channel.send([Outgoing(str(one.id), one.to, one.text) for one in due])

    at_once(TOGETHER, naive)
    assert len(texts.messages) == TOGETHER


def test_being_claimed_a_message_is_sent_by_one_worker(sender: UUID, texts: AfricasTalking) -> None:
    def send(_number: int) -> int:
        with tenancy.tenant_context(sender):
            return messages_send()

    assert sorted(at_once(TOGETHER, send)) == [0] * (TOGETHER - 1) + [1]
    assert len(texts.messages) == 1
