"""Messages a person sends: written to one customer, sent once more, or to try an account."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.selectors import tenant_current
from customers.selectors import customer_known, phone_of
from ispbilling.kernel import audit, phone
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from sms.channels.segments import normalise
from sms.models import ChannelAccount, Message
from sms.services.outgoing import message_queue
from sms.wording import TEST, WRITTEN

#: A long letter by telephone is a mistake: about six parts of Latin letters.
TEXT_LONGEST = 900
_ENDED_BADLY = (Message.State.FAILED, Message.State.UNKNOWN)


@transaction.atomic
def message_write(*, customer_id: UUID, text: str, key: str, actor: str) -> Message:
    """Send what a person wrote to a customer's telephone, as it stands. The same ``key`` sends nothing new.

    Raises NotFound, DomainError ``message.text``, Conflict ``message.phone``.
    """
    customer = customer_known(customer_id)
    words = normalise(text)
    if not words.strip() or len(words) > TEXT_LONGEST:
        said = _("Write between 1 and %(most)d characters.") % {"most": TEXT_LONGEST}
        raise DomainError("message.text", said, fields={"text": [said]})
    to = phone_of(customer.id)
    if to is None:
        raise Conflict("message.phone", _("This customer has no phone number. Enter one first."))
    name = f"{WRITTEN}:{customer.id.hex}:{key}"[:120]
    known: Message | None = Message.objects.filter(key=name).first()
    if known is not None:
        return known
    message = message_queue(code=WRITTEN, key=name, to=to, text=words, customer_id=customer.id)
    audit.record(actor=actor, verb="message.write", row=message, new={"customer": customer.id, "text": words})
    return message


@transaction.atomic
def message_repeat(*, message_id: UUID, is_sure: bool, actor: str) -> Message:
    """Send the words of a message that did not arrive once more, as a new message; only one ever follows each.

    ``is_sure``: a person knows that he may get it twice, which only matters while nobody knows whether it arrived.
    Raises NotFound, Conflict ``message.arrived``, ``message.under_way``, ``message.secret``, ``message.unsure``.
    """
    first = _locked(message_id)
    if first.is_secret:
        raise Conflict("message.secret", _("A one-time code is not sent again. The customer asks for a new one."))
    if first.state in (Message.State.QUEUED, Message.State.SENDING):
        raise Conflict("message.under_way", _("This message is still on its way."))
    if first.state not in _ENDED_BADLY:
        raise Conflict("message.arrived", _("This message was sent already."))
    if first.state == Message.State.UNKNOWN and not is_sure:
        raise Conflict("message.unsure", _("Nobody knows whether it arrived. Say that it may arrive twice."))
    known: Message | None = first.repeats.first()
    if known is not None:
        return known
    message = message_queue(
        code=WRITTEN if first.code == TEST else first.code,
        key=f"again:{first.id.hex}",
        to=first.to,
        text=first.text,
        customer_id=first.customer_id,
        again_of=first,
    )
    audit.record(actor=actor, verb="message.repeat", row=message, new={"again_of": first.id, "was": first.state})
    return message


@transaction.atomic
def channel_account_try(*, account_id: UUID, typed_phone: str, key: str, actor: str) -> Message:
    """Send a few words through one account, used or not, to see it work. The same ``key`` sends nothing new.

    Raises NotFound ``channel.account``, DomainError ``phone.invalid``.
    """
    account: ChannelAccount | None = ChannelAccount.objects.filter(id=account_id).first()
    if account is None:
        raise NotFound("channel.account", "There is no such account.")
    tenant = tenant_current()
    to = phone.normalise(typed_phone, tenant.country)
    name = f"{TEST}:{account.id.hex}:{key}"[:120]
    known: Message | None = Message.objects.filter(key=name).first()
    if known is not None:
        return known
    text = _("%(isp)s: a test of “%(account)s”. It works.") % {"isp": tenant.name, "account": account.label}
    message = message_queue(code=TEST, key=name, to=to, text=text, account=account)
    audit.record(actor=actor, verb="channel.try", row=account, new={"to": to})
    return message


def _locked(message_id: UUID) -> Message:
    found: Message | None = Message.objects.select_for_update(no_key=True).filter(id=message_id).first()
    if found is None:
        raise NotFound("message.unknown", "There is no such message.")
    return found
