"""Small pieces of the kernel: money, phones, secrets, ids, states, idempotency, the clock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ispbilling.kernel import clock, crypto, idempotency, ids, phone
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.money import CurrencyMismatch, Money, minor_unit
from ispbilling.kernel.registry import Registry
from ispbilling.kernel.states import Moves, state_move
from payments.models import Payment
from tests import factories

currencies = st.sampled_from(["KES", "BDT", "PHP", "UGX", "KWD"])
amounts = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=3, allow_nan=False, allow_infinity=False)
weights = st.lists(st.decimals(min_value=0, max_value=1000, places=2), min_size=1, max_size=8)


@given(amounts, currencies, weights, st.data())
def test_parts_add_up_to_the_whole(amount: Decimal, currency: str, shares: list[Decimal], data: Any) -> None:
    assume(sum(shares) > 0)
    whole = Money(amount, currency)
    parts = whole.split(shares, remainder=data.draw(st.integers(0, len(shares) - 1)))
    assert sum(parts, Money.zero(currency)) == whole


@given(amounts, currencies)
def test_money_is_whole_minor_units(amount: Decimal, currency: str) -> None:
    assert Money(amount, currency).amount % minor_unit(currency) == 0


@given(amounts, currencies)
def test_rounding_moves_less_than_a_minor_unit(amount: Decimal, currency: str) -> None:
    assert abs(Money(amount, currency).amount - amount) <= minor_unit(currency) / 2


@given(st.decimals(min_value="0.001", max_value=100_000, places=3))
def test_rounding_up_never_asks_for_less(amount: Decimal) -> None:
    money = Money(amount, "KES")
    assert money <= money.round_up(Decimal(1))
    assert money.round_up(Decimal(1)).amount % 1 == 0


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(Decimal(1), "KES") + Money(Decimal(1), "BDT")


def test_money_refuses_floats() -> None:
    with pytest.raises(TypeError):
        Money(1.5, "KES")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "typed", ["0712345678", "0712 345 678", "254712345678", "+254 712-345678", "00254712345678", "712345678"]
)
def test_a_kenyan_phone_has_one_form(typed: str) -> None:
    assert phone.normalise(typed, "KE") == "+254712345678"


@pytest.mark.parametrize(
    ("typed", "country", "wanted"),
    [
        ("01712345678", "BD", "+8801712345678"),
        ("8801712345678", "BD", "+8801712345678"),
        ("0917 123 4567", "PH", "+639171234567"),
        ("0110123456", "KE", "+254110123456"),
    ],
)
def test_phones_of_other_lands(typed: str, country: str, wanted: str) -> None:
    assert phone.normalise(typed, country) == wanted


@pytest.mark.parametrize("typed", ["", "12", "hello", "07123", "+999999999999999", "07123456789012345"])
def test_what_is_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(DomainError):
        phone.normalise(typed, "KE")


@given(st.text(max_size=40), st.sampled_from(["KE", "BD", "PH"]))
def test_normalising_gives_e164_or_refuses(typed: str, country: str) -> None:
    try:
        number = phone.normalise(typed, country)
    except DomainError:
        return
    assert number.startswith("+")
    assert number[1:].isdigit()
    assert phone.normalise(number, country) == number


@given(st.integers(10_000_000, 99_999_999), st.sampled_from(["07{}", "2547{}", "+2547{}", "002547{}", "7{}"]))
def test_every_way_to_write_a_mobile_gives_the_same(rest: int, form: str) -> None:
    assume(phone_is_valid(rest))
    assert phone.normalise(form.format(rest), "KE") == f"+2547{rest}"


def phone_is_valid(rest: int) -> bool:
    import phonenumbers

    return phonenumbers.is_valid_number(phonenumbers.parse(f"+2547{rest}"))


@given(st.text())
def test_a_secret_comes_back(text: str) -> None:
    assert crypto.decrypt(crypto.encrypt(text)) == text


def test_a_secret_does_not_show_itself() -> None:
    secret = crypto.Secret("PLANTED-9f2c")
    assert "PLANTED" not in f"{secret} {secret!r} {[secret]}"


def test_an_older_key_still_reads_and_the_new_one_writes(settings: Any) -> None:
    old = settings.FIELD_KEYS[0]
    stored = crypto.encrypt("x")
    new = crypto.Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]
    assert crypto.decrypt(stored) == "x"
    assert not crypto.is_current(stored)
    assert crypto.is_current(crypto.encrypt("x"))


def test_a_dropped_key_reads_nothing(settings: Any) -> None:
    stored = crypto.encrypt("x")
    settings.FIELD_KEYS = [crypto.Fernet.generate_key().decode()]
    with pytest.raises(crypto.InvalidToken):
        crypto.decrypt(stored)


def test_secrets_lie_encrypted_in_the_table(tenant: Any) -> None:
    from django.db import connection

    factories.router_make(password="PLANTED-9f2c")
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM network_router")
        stored = cursor.fetchone()[0]
    assert "PLANTED" not in stored
    assert crypto.decrypt(stored) == "PLANTED-9f2c"


def test_rotation_rewrites_every_secret_under_the_new_key(tenant: Any, settings: Any) -> None:
    from io import StringIO

    from django.core.management import call_command
    from django.db import connection

    factories.router_make(password="PLANTED-9f2c")
    settings.FIELD_KEYS = [crypto.Fernet.generate_key().decode(), *settings.FIELD_KEYS]
    call_command("secrets_rotate", stdout=StringIO())
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM network_router")
        assert crypto.decrypt(cursor.fetchone()[0]) == "PLANTED-9f2c"


def test_ids_are_ordered_by_time_and_of_version_seven() -> None:
    made = [ids.uuid7() for _ in range(50)]
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert [one.int >> 80 for one in made] == sorted(one.int >> 80 for one in made)


def test_a_name_is_registered_once() -> None:
    registry: Registry[int] = Registry("thing")
    registry.register("one")(1)
    with pytest.raises(ValueError, match="twice"):
        registry.register("one")(1)


def test_a_table_of_moves_knows_all_its_states() -> None:
    with pytest.raises(ValueError, match="without a row"):
        Moves({"a": {"b"}})


def payment_make(state: str) -> Payment:
    account = factories.account_make()
    return Payment.objects.create(
        account=account,
        amount=1,
        currency="KES",
        idempotency_key=str(ids.uuid7()),
        receipt_family="cash",
        state=state,
        created_at=clock.now(),
        started_at=clock.machine_now(),
    )


def test_every_forbidden_move_is_refused(tenant: Any) -> None:
    for source, targets in Payment.MOVES.table.items():
        for target in set(Payment.MOVES.table) - targets:
            with pytest.raises(Conflict):
                state_move(payment_make(source), to=target, by="system:test")


def test_a_move_is_written_into_the_audit(tenant: Any) -> None:
    from ispbilling.kernel.models import AuditEntry

    payment = payment_make("pending")
    state_move(payment, to="cancelled", by="user:1", reason="asked")
    entry = AuditEntry.objects.get(verb="payment.cancelled")
    assert (entry.actor, entry.old, entry.new, entry.reason) == (
        "user:1",
        {"state": "pending"},
        {"state": "cancelled"},
        "asked",
    )


def test_the_same_key_acts_once_and_gets_the_same_answer(tenant: Any) -> None:
    calls: list[int] = []

    def act() -> dict[str, Any]:
        calls.append(1)
        return {"number": len(calls)}

    first = idempotency.once(scope="s", key="k", intention={"a": 1}, act=act)
    second = idempotency.once(scope="s", key="k", intention={"a": 1}, act=act)
    assert (first, second, len(calls)) == ({"number": 1}, {"number": 1}, 1)


def test_a_key_used_for_something_else_is_refused(tenant: Any) -> None:
    idempotency.once(scope="s", key="k", intention={"a": 1}, act=dict)
    with pytest.raises(Conflict):
        idempotency.once(scope="s", key="k", intention={"a": 2}, act=dict)


def test_a_job_takes_place_once_per_period(db: None) -> None:
    from ispbilling.kernel import jobs

    assert [jobs.claim("j", "1"), jobs.claim("j", "1"), jobs.claim("j", "2")] == [True, False, True]


def test_the_clock_moves_for_everybody(db: None) -> None:
    before = clock.now()
    clock.travel(timedelta(days=3))
    assert timedelta(days=3) <= clock.now() - before < timedelta(days=3, minutes=1)


def test_the_clock_does_not_run_backwards(db: None) -> None:
    with pytest.raises(DomainError):
        clock.travel(timedelta(seconds=-1))


def test_productions_clock_cannot_be_moved(db: None, settings: Any) -> None:
    settings.CLOCK_MAY_MOVE = False
    with pytest.raises(DomainError):
        clock.travel(timedelta(days=1))
    assert clock.offset() == timedelta(0)


def test_a_day_begins_at_the_tenants_midnight(db: None) -> None:
    assert clock.today(ZoneInfo("Asia/Dhaka")).strftime("%H:%M %Z") == "00:00 +06"
