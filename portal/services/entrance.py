"""The subscriber's door: one-time codes, the password of a line, and how often either may be tried."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.models import Tenant
from accounts.selectors import tenant_current
from accounts.services.tries import Limit
from customers.models import Customer
from customers.selectors import customers_of_email, customers_of_phone
from ispbilling.kernel import audit, clock, phone, tenancy
from ispbilling.kernel.errors import Conflict, DomainError
from network.selectors import lines_of_logins
from portal.models import LoginCode
from sms.services import message_send

CODE_LIFE = timedelta(minutes=10)
CODES_PER_PHONE = 4
CODES_WINDOW = timedelta(minutes=15)
GUESSES = 5

#: Codes asked for by one address within that time, for whatever telephones: by programs and whoever is new here;
CODES = 10
#: and by browsers of customers, of whom a whole street may come from one address after a power cut.
CODES_OF_CUSTOMERS = 60


def code_limits(*, address: str, is_customers_page: bool = False) -> list[Limit]:
    """What asking for a code counts against."""
    if is_customers_page:
        return [Limit("codes of customers", address, CODES_OF_CUSTOMERS)]
    return [Limit("codes", address, CODES)]


@transaction.atomic
def code_send(*, typed_phone: str, is_registration: bool = False) -> str:
    """Send a one-time code to a customer's telephone; those sent before are worth nothing. Returns it in E.164.

    A number nobody has is answered alike and sent nothing, unless somebody wants to register with it: as a new
    customer, or as one more telephone of his own. Raises
    DomainError ``phone.invalid``, ``code.too_many``.
    """
    number = phone.normalise(typed_phone, tenant_current().country)
    number_alone(number)
    now = clock.machine_now()
    codes = LoginCode.objects.filter(phone=number)
    # Those of the future were written by a clock that ran ahead: nobody is shut out until that day.
    recent = codes.filter(created_at__gt=now - CODES_WINDOW, created_at__lte=now).count()
    if recent >= CODES_PER_PHONE:
        raise DomainError("code.too_many", _("Too many codes were asked for. Please wait a quarter of an hour."))
    codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
    owners = customers_of_phone(number)
    code = f"{secrets.randbelow(1_000_000):06d}"
    row = LoginCode.objects.create(
        phone=number,
        code_hash=make_password(code),
        is_real=bool(owners) or is_registration,
        created_at=now,
        expires_at=now + CODE_LIFE,
    )
    if owners or is_registration:
        message_send(
            code="portal_code",
            key=f"portal_code:{row.id}",
            to=number,
            customer_id=owners[0].id if owners else None,
            values={"code": code},
            is_secret=True,
        )
    return number


def code_check(*, number: str, code: str) -> list[Customer]:
    """The customers of a telephone, if the code is the last one sent to it. Call outside a transaction.

    A wrong guess is counted even though the request fails. Raises DomainError ``code.wrong``.
    """
    customers = number_prove(number=number, code=code)
    if not customers:
        raise _wrong()
    for customer in customers:
        sign_in_record(customer=customer)
    return customers


@transaction.atomic
def sign_in_record(*, customer: Customer) -> None:
    """Write down that a subscriber came in."""
    audit.record(actor=f"customer:{customer.id}", verb="portal.sign_in", row=customer)


def number_prove(*, number: str, code: str) -> list[Customer]:
    """Whose telephone it is, perhaps nobody's, if the code is the last one sent to it. Call outside a transaction.

    Raises DomainError ``code.wrong``.
    """
    if not _code_use(number, code):
        raise _wrong()
    with transaction.atomic():
        return customers_of_phone(number)


def _wrong() -> DomainError:
    text = _("That code is not right, or it is too old.")
    return DomainError("code.wrong", text, fields={"code": ["Not right."]})


def number_alone(number: str) -> None:
    """Whoever else does something with this telephone waits until this transaction is over."""
    with connection.cursor() as cursor:
        key = f"telephone:{tenancy.tenant_id_required()}:{number}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


@transaction.atomic
def _code_use(number: str, code: str) -> bool:
    """Whether the code is right; it is used up then."""
    now = clock.machine_now()
    row = (
        LoginCode.objects.select_for_update(no_key=True)
        .filter(phone=number, used_at=None, expires_at__gt=now, guesses__lt=GUESSES)
        .order_by("-created_at", "-id")
        .first()
    )
    if row is None:
        make_password(code)  # takes as long as a real comparison
        return False
    row.guesses += 1
    is_right = check_password(code, row.code_hash) and row.is_real
    row.used_at = now if is_right else None
    row.save(update_fields=["guesses", "used_at"])
    return is_right


def customer_prove(*, tenant: Tenant | None, name: str, password: str) -> Customer | None:
    """The customer one of whose lines has this password, by its user name, his telephone or his e-mail address.

    Without a tenant (an address that belongs to none) he is looked for in all of them. Takes as long for nobody as for
    somebody. Raises Conflict ``auth.tenant`` when two customers fit: nobody is let in by guess.
    """
    make_password(password)  # hides the little that the comparisons below differ in
    if tenant is None:
        with tenancy.platform("portal: whose line is this"):
            lines = lines_of_logins(username=name, customer_ids=[])
    else:
        with transaction.atomic():
            lines = lines_of_logins(username=name, customer_ids=_owners(name, tenant.country))
    right = [line for line in lines if constant_time_compare(line.password.reveal(), password)]
    found = {line.customer_id: line.customer for line in right}
    if len(found) > 1:
        raise Conflict("auth.tenant", _("Several customers fit. Please sign in with your telephone, or call us."))
    return next(iter(found.values()), None)


def _owners(name: str, country: str) -> list[UUID]:
    if "@" in name:
        return [row.id for row in customers_of_email(name)]
    try:
        return [row.id for row in customers_of_phone(phone.normalise(name, country))]
    except DomainError:
        return []
