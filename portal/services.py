"""Signing in with a telephone and a one-time code; paying."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.crypto import constant_time_compare

from accounts.models import Tenant
from accounts.selectors import tenant_current
from billing.models import Recharge
from billing.selectors import subscriptions_of, wallet_of
from billing.services import recharge_start
from billing.services.receipts import RECHARGE
from customers.models import Customer
from customers.selectors import customers_of_email, customers_of_phone
from customers.services import customer_create
from ispbilling.kernel import audit, clock, phone, tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.money import Money
from network.selectors import lines_of_logins
from payments.models import Payment
from payments.services import payment_start
from portal.models import LoginCode
from sms.services import message_send

CODE_LIFE = timedelta(minutes=10)
CODES_PER_PHONE = 4
CODES_WINDOW = timedelta(minutes=15)
GUESSES = 5


@transaction.atomic
def code_send(*, typed_phone: str, is_registration: bool = False) -> str:
    """Send a one-time code to a customer's telephone. Returns the number in E.164.

    A number nobody has is answered alike and sent nothing, unless somebody wants to register with it. Raises
    DomainError ``phone.invalid``, ``code.too_many``.
    """
    number = phone.normalise(typed_phone, tenant_current().country)
    now = clock.machine_now()
    recent = LoginCode.objects.filter(phone=number, created_at__gt=now - CODES_WINDOW).count()
    if recent >= CODES_PER_PHONE:
        raise DomainError("code.too_many", "Too many codes were asked for. Please wait a quarter of an hour.")
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
    customers = _code_use(number, code)[1]
    if not customers:
        raise DomainError("code.wrong", "That code is not right, or it is too old.", fields={"code": ["Not right."]})
    return customers


@transaction.atomic
def _code_use(number: str, code: str) -> tuple[bool, list[Customer]]:
    """Whether the code is right, and whose telephone it is."""
    now = clock.machine_now()
    row = (
        LoginCode.objects.select_for_update(no_key=True)
        .filter(phone=number, used_at=None, expires_at__gt=now, guesses__lt=GUESSES)
        .order_by("-created_at", "-id")
        .first()
    )
    if row is None:
        make_password(code)  # takes as long as a real comparison
        return False, []
    row.guesses += 1
    is_right = check_password(code, row.code_hash) and row.is_real
    row.used_at = now if is_right else None
    row.save(update_fields=["guesses", "used_at"])
    if not is_right:
        return False, []
    owners = customers_of_phone(number)
    for owner in owners:
        audit.record(actor=f"customer:{owner.id}", verb="portal.sign_in", row=owner)
    return True, owners


def register(*, number: str, code: str, name: str, email: str = "", address: str = "") -> Customer:
    """Whoever has the telephone becomes a customer, or the one he is already. Call outside a transaction.

    Raises DomainError ``code.wrong``.
    """
    is_right, owners = _code_use(number, code)
    if not is_right:
        raise DomainError("code.wrong", "That code is not right, or it is too old.", fields={"code": ["Not right."]})
    if owners:
        return owners[0]
    return customer_create(name=name, phones=[number], email=email, address=address, actor="system:registration")


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
        raise Conflict("auth.tenant", "Several customers fit. Please sign in at your provider's own address.")
    return next(iter(found.values()), None)


def _owners(name: str, country: str) -> list[UUID]:
    if "@" in name:
        return [row.id for row in customers_of_email(name)]
    try:
        return [row.id for row in customers_of_phone(phone.normalise(name, country))]
    except DomainError:
        return []


def recharge_pay(
    *,
    customer: Customer,
    subscription_id: UUID,
    periods: int,
    account_id: UUID,
    typed_phone: str,
    idempotency_key: str,
) -> Payment:
    """Order periods and ask the gateway for their price. Call outside a transaction.

    What lies in the wallet already is not asked for. Raises DomainError, NotFound.
    """
    recharge, number, missing = _order(customer, subscription_id, periods, typed_phone)
    return payment_start(
        account_id=account_id,
        customer_id=customer.id,
        amount=missing,
        purpose=RECHARGE,
        purpose_id=recharge.id,
        phone=number,
        idempotency_key=idempotency_key,
        description="Internet",
        actor=f"customer:{customer.id}",
    )


@transaction.atomic
def _order(customer: Customer, subscription_id: UUID, periods: int, typed_phone: str) -> tuple[Recharge, str, Money]:
    if subscription_id not in {row.id for row in subscriptions_of(customer.id)}:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    number = phone.normalise(typed_phone, tenant_current().country)
    recharge = recharge_start(subscription_id=subscription_id, periods=periods, actor=f"customer:{customer.id}")
    total = Money(recharge.total, recharge.currency)
    wallet = wallet_of(customer.id, recharge.currency)
    missing = total - wallet if Money.zero(total.currency) < wallet < total else total
    return recharge, number, missing
