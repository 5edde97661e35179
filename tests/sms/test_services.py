"""Messages: queued once, sent once, and never twice for certain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.failpoints import FailpointHit
from simulators.africastalking import AfricasTalking
from sms.models import Message
from sms.services import channel_account_add, message_send, messages_send
from tests import factories
from tests.payments.test_services import _Inside

pytestmark = pytest.mark.usefixtures("committed")
PHONE = "+254712345678"


class Place:
    def __init__(self, far: AfricasTalking) -> None:
        self.far = far
        self.tenant = factories.tenant_make()
        with self.inside():
            self.account = channel_account_add(
                channel="africastalking",
                label="SMS",
                config={"username": "isp", "api_key": "PLANTED-9f2c"},
                base_url=far.url,
                actor=factories.ACTOR,
            )

    def inside(self) -> Any:
        return _Inside(self.tenant.id)

    def queue(self, key: str = "k") -> None:
        with self.inside():
            message_send(code="portal_code", key=key, to=PHONE, values={"code": "123456"})

    def send(self) -> int:
        with tenancy.tenant_context(self.tenant.id):
            return messages_send()

    def state(self) -> str:
        with self.inside():
            return str(Message.objects.get().state)

    def change(self, **values: Any) -> None:
        with self.inside():
            Message.objects.update(**values)

    def report(self, status: str) -> int:
        form = {"id": self.far.messages[0]["id"], "status": status, "phoneNumber": PHONE}
        return Client(HTTP_HOST="localhost").post(f"/hooks/m/{self.account.token}/report", form).status_code


@pytest.fixture
def place() -> Iterator[Place]:
    far = AfricasTalking(apps={"isp": "PLANTED-9f2c"})
    far.start()
    yield Place(far)
    far.stop()


def test_a_queued_message_is_sent_once(place: Place) -> None:
    place.queue()
    place.send()
    place.send()
    assert (place.state(), len(place.far.messages)) == ("accepted", 1)


def test_the_same_cause_is_told_once(place: Place) -> None:
    place.queue()
    place.queue()
    place.send()
    assert len(place.far.messages) == 1


def test_a_delivery_report_settles_it(place: Place) -> None:
    place.queue()
    place.send()
    assert place.report("Success") == 200
    assert place.state() == "delivered"


def test_a_late_bad_report_does_not_take_delivery_back(place: Place) -> None:
    place.queue()
    place.send()
    place.report("Success")
    place.report("Failed")
    assert place.state() == "delivered"


def test_a_report_about_a_message_of_nobody_changes_nothing(place: Place) -> None:
    answer = Client(HTTP_HOST="localhost").post(
        f"/hooks/m/{place.account.token}/report", {"id": "x", "status": "Success"}
    )
    assert answer.status_code == 200


def test_a_sender_that_died_while_asking_leaves_unknown_and_nothing_is_sent_twice(
    place: Place, settings: Any, tmp_path: Any
) -> None:
    place.queue()
    settings.FAILPOINTS_DIR = str(tmp_path)
    (tmp_path / "sms.send.after_call").write_text("raise")
    with pytest.raises(FailpointHit):
        place.send()
    settings.FAILPOINTS_DIR = None
    assert place.state() == "sending"
    place.change(next_try_at=clock.machine_now())
    place.send()
    assert (place.state(), len(place.far.messages)) == ("unknown", 1)
    with place.inside():
        Message.objects.update(provider_id=place.far.messages[0]["id"])
    place.report("Success")
    assert place.state() == "delivered"


def test_a_report_settles_what_was_never_answered(place: Place) -> None:
    place.far.faults.arm("cut_after")
    place.queue()
    place.send()
    assert place.state() == "unknown"
    assert place.report("Success") == 200
    assert (place.state(), len(place.far.messages)) == ("delivered", 1)


def test_a_report_that_could_be_for_either_of_two_settles_neither(place: Place) -> None:
    place.far.faults.arm("cut_after")
    place.queue("one")
    place.queue("two")
    place.send()
    place.report("Success")
    with place.inside():
        assert set(Message.objects.values_list("state", flat=True)) == {"unknown"}


def test_one_answer_that_breaks_off_holds_up_no_other_message(place: Place) -> None:
    with place.inside():
        for number in range(3):
            values = {"code": str(number)}
            message_send(code="portal_code", key=f"k{number}", to=f"+25471234560{number}", values=values)
    place.far.faults.arm("cut_midway", times=1)
    place.send()
    with place.inside():
        assert sorted(Message.objects.values_list("state", flat=True)) == ["accepted", "accepted", "unknown"]


def test_no_balance_waits_and_tries_again(place: Place) -> None:
    place.far.behaviours[PHONE] = "no_balance"
    place.queue()
    place.send()
    assert place.state() == "queued"
    del place.far.behaviours[PHONE]
    place.change(next_try_at=clock.machine_now())
    place.send()
    assert place.state() == "accepted"


def test_what_fails_again_and_again_ends(place: Place) -> None:
    place.far.behaviours[PHONE] = "no_balance"
    place.queue()
    for _ in range(6):
        place.change(next_try_at=clock.machine_now())
        place.send()
    assert place.state() == "failed"


def test_old_news_is_not_sent(place: Place) -> None:
    place.queue()
    place.change(queued_at=clock.machine_now() - timedelta(hours=13))
    place.send()
    assert (place.state(), place.far.messages) == ("failed", [])


def test_without_an_account_messages_wait(place: Place) -> None:
    with place.inside():
        from sms.models import ChannelAccount

        ChannelAccount.objects.update(is_enabled=False)
    place.queue()
    place.send()
    assert place.state() == "queued"


def test_every_wording_has_every_language_and_only_its_fields() -> None:
    import string

    from sms.wording import WORDINGS

    for code, wording in WORDINGS.items():
        assert set(wording.texts) == {"en", "sw", "bn", "fil"}, code
        for text in wording.texts.values():
            named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert named <= wording.fields, code
