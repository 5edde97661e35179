"""A tenant's own words: kept, used, put back."""

from __future__ import annotations

from typing import Any

import pytest

from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.models import AuditEntry
from sms.models import Template
from sms.services import message_send, wording_reset, wording_set
from sms.wording import text_of
from tests import factories

ACTOR = factories.ACTOR
PHONE = "+254712345678"


def own(body: str, code: str = "portal_code", language: str = "en") -> Template | None:
    return wording_set(code=code, language=language, body=body, actor=ACTOR)


def sent(key: str = "k") -> str:
    return message_send(code="portal_code", key=key, to=PHONE, values={"code": "123456"}).text


def test_a_message_is_sent_in_the_tenants_own_words(tenant: Any) -> None:
    own("Karibu {isp}, {code}")
    assert sent() == f"Karibu {tenant.name}, 123456"


def test_another_language_keeps_its_words(tenant: Any) -> None:
    own("Karibu {isp}, {code}", language="sw")
    assert sent() == f"{tenant.name}: your code is 123456. It is good for 10 minutes. Tell it to nobody."


def test_the_built_in_words_come_back(tenant: Any) -> None:
    own("Karibu {isp}, {code}")
    wording_reset(code="portal_code", language="en", actor=ACTOR)
    assert sent().startswith(f"{tenant.name}: your code is 123456.")


def test_the_built_in_words_themselves_leave_no_row(tenant: Any) -> None:
    assert own(text_of("portal_code", "en")) is None
    assert Template.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{code} {stranger}", "This message has no {stranger}. Take only names from the list."),
        ("{code} {code.real}", "This message has no {code.real}. Take only names from the list."),
        ("{code} }", "This message has no }. Take only names from the list."),
        ("Welcome to {isp}", "Without {code} this message is of no use."),
        (" ", "Write between 1 and 700 characters."),
        ("{code}" + "x" * 700, "Write between 1 and 700 characters."),
    ],
)
def test_a_wording_that_would_not_work_is_refused(tenant: Any, body: str, said: str) -> None:
    with pytest.raises(DomainError) as refused:
        own(body)
    assert (refused.value.code, refused.value.fields) == ("wording.body", {"body": [said]})


@pytest.mark.parametrize(("code", "language"), [("nothing", "en"), ("portal_code", "xx")])
def test_a_message_nobody_sends_has_no_words(tenant: Any, code: str, language: str) -> None:
    with pytest.raises(NotFound):
        own("{code}", code, language)


def test_the_audit_tells_both_texts(tenant: Any) -> None:
    own("One {code}")
    own("Two {code}")
    entry = AuditEntry.objects.filter(verb="wording.set").order_by("-at", "-id").first()
    assert entry is not None
    assert (entry.old, entry.new) == ({"body": "One {code}"}, {"body": "Two {code}"})


def test_saving_the_same_words_again_is_not_written_down(tenant: Any) -> None:
    own("One {code}")
    own("One {code}")
    assert AuditEntry.objects.filter(verb="wording.set").count() == 1
