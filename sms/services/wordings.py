"""A tenant's own words for a message."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from ispbilling.kernel import audit
from ispbilling.kernel.errors import DomainError, NotFound
from sms.channels.segments import normalise
from sms.filling import names_in, unknown_in
from sms.models import Template
from sms.wording import WORDINGS, Wording, text_of

BODY_LONGEST = 700


@transaction.atomic
def wording_set(*, code: str, language: str, body: str, actor: str) -> Template | None:
    """Say a message in the tenant's own words. The built-in words themselves leave no row: None.

    Raises NotFound ``wording.unknown``, DomainError ``wording.body`` (empty, too long, a name it does not have, or
    without one it needs), each with what to do.
    """
    wording = _wording(code, language)
    words = normalise(body)
    if said := _fault(words, wording):
        raise DomainError("wording.body", said, fields={"body": [said]})
    if words == text_of(code, language):
        wording_reset(code=code, language=language, actor=actor)
        return None
    row, was_made = Template.objects.select_for_update(no_key=True).get_or_create(
        code=code, language=language, defaults={"body": words}
    )
    template: Template = row
    old = "" if was_made else template.body
    if words != old:
        template.body = words
        template.save(update_fields=["body"])
        audit.record(actor=actor, verb="wording.set", row=template, old={"body": old}, new={"body": words})
    return template


@transaction.atomic
def wording_reset(*, code: str, language: str, actor: str) -> None:
    """Back to the built-in words. Nothing to be done is no error. Raises NotFound ``wording.unknown``."""
    _wording(code, language)
    row: Template | None = Template.objects.select_for_update().filter(code=code, language=language).first()
    if row is not None:
        audit.record(actor=actor, verb="wording.reset", row=row, old={"body": row.body})
        row.delete()


def _wording(code: str, language: str) -> Wording:
    if code not in WORDINGS or language not in dict(settings.LANGUAGES):
        raise NotFound("wording.unknown", _("There is no such message."))
    return WORDINGS[code]


def _fault(body: str, wording: Wording) -> str:
    if not body.strip() or len(body) > BODY_LONGEST:
        return _("Write between 1 and %(most)d characters.") % {"most": BODY_LONGEST}
    if unknown := unknown_in(body, wording.fields):
        return _("This message has no %(names)s. Take only names from the list.") % {"names": ", ".join(unknown)}
    if missing := sorted(wording.needed - names_in(body)):
        named = ", ".join(f"{{{name}}}" for name in missing)
        return _("Without %(names)s this message is of no use.") % {"names": named}
    return ""
