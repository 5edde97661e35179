"""Messages a person sends: once for each intention, and never a doubled one by surprise."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import AuditEntry
from sms.channels.base import Delivery, Report
from sms.models import Message
from sms.services import (
    channel_account_add,
    channel_account_switch,
    channel_account_try,
    message_repeat,
    message_send,
    message_write,
    messages_send,
    report_apply,
)
from tests import factories

ACTOR = factories.ACTOR
PHONE = "+254712345678"


def write(customer: Any, text: str = "Hello {name}", key: str = "k") -> Message:
    return message_write(customer_id=customer.id, text=text, key=key, actor=ACTOR)


def ended(state: str, **given: Any) -> Message:
    message = message_send(code="portal_code", key=uuid7().hex, to=PHONE, values={"code": "1"}, **given)
    message.state, message.next_try_at = state, None
    message.save()
    return message


def again(message: Message, is_sure: bool = False) -> Message:
    return message_repeat(message_id=message.id, is_sure=is_sure, actor=ACTOR)


def console(label: str = "Log") -> Any:
    return channel_account_add(channel="console", label=label, config={}, actor=ACTOR)


# --- written to a customer ------------------------------------------------------------------------------------------


def test_what_is_written_leaves_as_it_was_typed(tenant: Any) -> None:
    customer = factories.customer_make(phones=["0712345678"])
    message = write(customer, "Hello {name},\r\nall is well ")
    assert (message.to, message.text, message.state) == (PHONE, "Hello {name},\nall is well", "queued")


def test_a_second_click_writes_nothing_new(tenant: Any) -> None:
    customer = factories.customer_make()
    assert write(customer).id == write(customer).id


def test_another_intention_is_another_message(tenant: Any) -> None:
    customer = factories.customer_make()
    assert write(customer, key="a").id != write(customer, key="b").id


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 901])
def test_nothing_and_a_novel_are_refused(tenant: Any, text: str) -> None:
    with pytest.raises(DomainError, match="Write between 1 and 900 characters"):
        write(factories.customer_make(), text)


def test_nobody_writes_to_a_customer_without_a_telephone(tenant: Any) -> None:
    with pytest.raises(Conflict, match="no phone number"):
        write(factories.customer_make(phones=[]))


def test_the_audit_knows_who_wrote_what(tenant: Any) -> None:
    message = write(factories.customer_make(), "Hello")
    entry = AuditEntry.objects.get(verb="message.write")
    assert (entry.actor, entry.row_id, entry.new["text"]) == (ACTOR, str(message.id), "Hello")


# --- sent once more -------------------------------------------------------------------------------------------------


def test_what_failed_is_sent_once_more_as_a_new_message(tenant: Any) -> None:
    first = ended("failed")
    second = again(first)
    assert (second.id != first.id, second.text, second.to, second.state) == (True, first.text, first.to, "queued")
    assert second.again_of_id == first.id


def test_only_one_message_ever_follows(tenant: Any) -> None:
    first = ended("failed")
    assert again(first).id == again(first).id


def test_a_follower_that_failed_has_a_follower_of_its_own(tenant: Any) -> None:
    second = again(ended("failed"))
    second.state, second.next_try_at = "failed", None
    second.save()
    assert again(second).again_of_id == second.id


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("queued", "message.under_way"),
        ("sending", "message.under_way"),
        ("accepted", "message.arrived"),
        ("delivered", "message.arrived"),
        ("unknown", "message.unsure"),
    ],
)
def test_what_may_have_arrived_is_not_sent_again_by_surprise(tenant: Any, state: str, code: str) -> None:
    with pytest.raises(Conflict) as refused:
        again(ended(state))
    assert refused.value.code == code
    assert Message.objects.count() == 1


def test_an_unknown_outcome_is_sent_again_by_somebody_who_is_sure(tenant: Any) -> None:
    assert again(ended("unknown"), is_sure=True).state == "queued"


def test_a_one_time_code_is_never_sent_again(tenant: Any) -> None:
    with pytest.raises(Conflict, match="The customer asks for a new one"):
        again(ended("failed", is_secret=True))


def test_a_message_of_nobody_is_not_found(tenant: Any) -> None:
    with pytest.raises(NotFound):
        message_repeat(message_id=uuid7(), is_sure=True, actor=ACTOR)


# --- an account is tried --------------------------------------------------------------------------------------------


def test_a_test_leaves_through_its_own_account_though_it_is_off(committed: None) -> None:
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id):
        console("First")
        second = console("Second")
        channel_account_switch(account_id=second.id, is_enabled=False, actor=ACTOR)
        channel_account_try(account_id=second.id, typed_phone="0712345678", key="k", actor=ACTOR)
        messages_send()
        with transaction.atomic():
            message = Message.objects.get()
        assert (message.account_id, message.state, message.to) == (second.id, "accepted", PHONE)


def test_a_second_click_tries_nothing_new(tenant: Any) -> None:
    account = console()
    one, two = (
        channel_account_try(account_id=account.id, typed_phone="0712345678", key="k", actor=ACTOR) for _ in range(2)
    )
    assert one.id == two.id


def test_a_test_goes_to_no_number_nobody_has(tenant: Any) -> None:
    with pytest.raises(DomainError):
        channel_account_try(account_id=console().id, typed_phone="12", key="k", actor=ACTOR)


# --- what the provider told -----------------------------------------------------------------------------------------


def reported(message: Message, *reports: Report) -> list[tuple[str, str, bool]]:
    account = console(uuid7().hex[:8])
    Message.objects.filter(id=message.id).update(account=account, provider_id="X1", state="accepted")
    for report in reports:
        report_apply(account_id=account.id, report=report)
    rows = message.reports.order_by("at", "id")
    return [(row.delivery, row.code, row.is_final) for row in rows]


def test_every_report_is_kept_and_each_only_once(tenant: Any) -> None:
    on_the_way = Report("X1", Delivery.ACCEPTED, code="Sent")
    there = Report("X1", Delivery.DELIVERED, code="Success", is_final=True)
    found = reported(ended("accepted"), on_the_way, there, there)
    assert found == [("accepted", "Sent", False), ("delivered", "Success", True)]


def test_a_late_report_is_kept_and_changes_nothing(tenant: Any) -> None:
    message = ended("accepted")
    there = Report("X1", Delivery.DELIVERED, code="Success", is_final=True)
    failed = Report("X1", Delivery.FAILED, code="Failed", is_final=True)
    assert len(reported(message, there, failed)) == 2
    assert Message.objects.get(id=message.id).state == "delivered"
