"""Staff who click twice, or two of them at once: one message each intention."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sms.models import Message
from sms.services import message_repeat, message_send, message_write
from tests import factories
from tests.concurrency.guards import without_unique
from tests.concurrency.test_money_races import Place, at_once, inside

TOGETHER = 8
ACTOR = factories.ACTOR


@pytest.fixture
def place(committed: None) -> Place:
    return Place()


def written_at_once(place: Place) -> int:
    customer = place.look(factories.customer_make)
    looked = threading.Barrier(TOGETHER)

    def write() -> Any:
        Message.objects.count()
        looked.wait()
        return message_write(customer_id=customer.id, text="Hello", key="k", actor=ACTOR)

    at_once(TOGETHER, inside(place.tenant.id, write))
    return int(place.look(Message.objects.count))


def test_without_the_key_one_message_is_written_again_and_again(place: Place) -> None:
    with without_unique("sms_message", "message_once"):
        assert written_at_once(place) > 1


def test_one_message_is_written_however_many_click_at_once(place: Place) -> None:
    assert written_at_once(place) == 1


def failed(place: Place) -> Message:
    def make() -> Message:
        made = message_send(code="portal_code", key="k", to="+254712345678", values={"code": "1"})
        Message.objects.filter(id=made.id).update(state="failed", next_try_at=None)
        return made

    made: Message = place.look(make)
    return made


def test_without_the_lock_and_the_key_many_would_follow_one_message(place: Place) -> None:
    """The race itself: each looks for a follower, finds none, and makes one."""
    first, looked = failed(place), threading.Barrier(TOGETHER)

    def naive() -> None:
        assert first.repeats.first() is None
        looked.wait()
        message_send(code="portal_code", key=f"naive:{threading.get_ident()}", to=first.to, values={"code": "1"})

    at_once(TOGETHER, inside(place.tenant.id, naive))
    assert place.look(Message.objects.count) == 1 + TOGETHER


def test_one_message_follows_however_many_send_it_again_at_once(place: Place) -> None:
    first = failed(place)
    done = at_once(
        TOGETHER,
        inside(place.tenant.id, lambda: message_repeat(message_id=first.id, is_sure=False, actor=ACTOR).id),
    )
    assert len(set(done)) == 1
    assert place.look(Message.objects.count) == 2
