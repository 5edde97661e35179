"""What a subscriber changes about himself; what lets somebody in is changed after a code alone."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services import customer_edit, customer_locked
from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict, NotFound
from network.models import Line
from network.selectors import lines_of
from network.services import line_password_set

MOST_PHONES = 5


@transaction.atomic
def profile_set(*, customer: Customer, email: str, address: str, language: str) -> Customer:
    """Change e-mail, address and language. Raises Conflict ``customer.email``."""
    actor = f"customer:{customer.id}"
    found = customer_locked(customer.id)
    if language != found.language:
        old, found.language = found.language, language
        found.save(update_fields=["language"])
        audit.record(
            actor=actor, verb="customer.language", row=found, old={"language": old}, new={"language": language}
        )
    return customer_edit(
        customer_id=found.id, name=found.name, phones=_numbers(found), email=email, address=address, actor=actor
    )


def _numbers(customer: Customer) -> list[str]:
    return list(customer.phones.order_by("-is_primary", "id").values_list("number", flat=True))


@transaction.atomic
def phone_add(*, customer: Customer, number: str) -> Customer:
    """One more telephone, which was proven by a code. Raises Conflict ``phone.many``."""
    found = customer_locked(customer.id)
    numbers = _numbers(found)
    if len(numbers) >= MOST_PHONES:
        raise Conflict("phone.many", _("You have as many telephones here as we can keep. Remove one first."))
    return _phones_set(found, [*numbers, number])


@transaction.atomic
def phone_remove(*, customer: Customer, number: str) -> Customer:
    """One telephone less. Raises NotFound ``phone.unknown``, Conflict ``phone.last``."""
    found = customer_locked(customer.id)
    numbers = _known(found, number)
    if len(numbers) == 1:
        raise Conflict("phone.last", _("This is your only telephone. Add another one first."))
    return _phones_set(found, [one for one in numbers if one != number])


@transaction.atomic
def phone_first(*, customer: Customer, number: str) -> Customer:
    """The telephone that gets the messages. Raises NotFound ``phone.unknown``."""
    found = customer_locked(customer.id)
    numbers = _known(found, number)
    return _phones_set(found, [number, *(one for one in numbers if one != number)])


def _known(customer: Customer, number: str) -> list[str]:
    numbers = _numbers(customer)
    if number not in numbers:
        raise NotFound("phone.unknown", "There is no such telephone.")
    return numbers


def _phones_set(customer: Customer, numbers: list[str]) -> Customer:
    return customer_edit(
        customer_id=customer.id,
        name=customer.name,
        phones=numbers,
        email=customer.email,
        address=customer.address,
        actor=f"customer:{customer.id}",
    )


@transaction.atomic
def line_reveal(*, customer: Customer, line_id: UUID) -> Line:
    """A line of his own whose password he sees: written down. Raises NotFound ``line.unknown``."""
    line = _own(customer, line_id)
    audit.record(actor=f"customer:{customer.id}", verb="line.reveal", row=line)
    return line


@transaction.atomic
def line_password_change(*, customer: Customer, line_id: UUID, password: str) -> Line:
    """The new password his box dials with. Raises NotFound ``line.unknown``, DomainError ``line.password``."""
    return line_password_set(line_id=_own(customer, line_id).id, password=password, actor=f"customer:{customer.id}")


def _own(customer: Customer, line_id: UUID) -> Line:
    found = next((line for line in lines_of(customer.id) if line.id == line_id), None)
    if found is None:
        raise NotFound("line.unknown", "There is no such line.")
    return found
