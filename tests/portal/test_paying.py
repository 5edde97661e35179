"""Paying in the portal, with Daraja at the other end: once per tap, again after a failure, and for a neighbour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from billing.models import Recharge, Subscription
from billing.selectors import wallet_of
from billing.services import cash_receive
from ispbilling.kernel import events, outbox, tenancy
from payments.models import Payment
from payments.selectors import cash_account
from portal.selectors import masked_name
from portal.wording import advice_of
from simulators.daraja import Daraja, Shop
from tests import factories
from tests.portal.doors import signed_in

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def far() -> Iterator[Daraja]:
    far = Daraja(shops=[Shop(consumer_secret="PLANTED-9f2c")])
    far.behaviours[None] = ("hold", 0)
    far.start()
    yield far
    far.stop()


class Place:
    """Jane and her neighbour at a provider with M-Pesa, and Jane's browser."""

    def __init__(self, far: Daraja, settings: Any) -> None:
        settings.ALLOWED_HOSTS = [".localhost", "localhost"]
        self.far = far
        self.tenant = factories.tenant_make()
        config = {
            "consumer_key": "simulated-key",
            "consumer_secret": "PLANTED-9f2c",
            "passkey": "simulated-passkey",
            "business_shortcode": "174379",
        }
        with tenancy.tenant_context(self.tenant.id), transaction.atomic():
            self.account = factories.account_make("mpesa", config=config, base_url=far.url)
            self.line = factories.line_make(name="Jane Wanjiku", phones=["0712345678"])
            self.other = factories.line_make(name="Peter Otieno", phones=["0722000000"])
            self.other_code = self.other.customer.code
        self.web = signed_in(Client(HTTP_HOST=f"{self.tenant.slug}.localhost"), self.tenant, self.line.customer_id)

    def ask(self, look: Any) -> Any:
        with tenancy.tenant_context(self.tenant.id), transaction.atomic():
            return look()

    def pay(self, address: str = "/client/pay/", line: Any = None, **given: str) -> Any:
        values = {
            "subscription": str((line or self.line).subscription_id),
            "periods": "1",
            "account": str(self.account.id),
            "phone": "0712345678",
            "key": "0123456789abcdef",
        }
        return self.web.post(address, {**values, **given})

    def payments(self) -> list[Payment]:
        found: list[Payment] = self.ask(lambda: list(Payment.objects.order_by("created_at", "id")))
        return found

    def end(self, behaviour: str = "lost_callback") -> None:
        """The payer acts on the last push, and what the gateway says of it is worked off."""
        push = list(self.far.pushes.values())[-1]
        self.far.end(push, behaviour)
        body = self.far.callback_body(push)
        path = "/hooks/" + push.callback_url.partition("/hooks/")[2]
        Client(HTTP_HOST="localhost").post(path, data=body, content_type="application/json")
        while sum(outbox.drain(shard) for shard in range(events.SHARDS)):
            pass

    def cash(self, line: Any, amount: str, key: str = "k") -> None:
        def receive() -> None:
            if cash_account() is None:
                factories.account_make("cash")
            cash_receive(
                customer_id=line.customer_id, amount=Decimal(amount), description="", key=key, actor=factories.ACTOR
            )

        self.ask(receive)

    def wallet(self, line: Any) -> Decimal:
        found: Decimal = self.ask(lambda: wallet_of(line.customer_id, "KES").amount)
        return found


@pytest.fixture
def place(far: Daraja, settings: Any) -> Place:
    return Place(far, settings)


def test_open_choose_pay_and_the_page_follows(place: Place) -> None:
    home = place.web.get("/client/").content.decode()
    assert 'value="1" checked' in home
    assert 'value="0712 345678"' in home
    address = place.pay()["Location"]
    assert "confirm with your PIN" in place.web.get(address).content.decode()
    place.end()
    assert "Paid. Thank you." in place.web.get(address + "status/").content.decode()


def test_a_double_tap_asks_the_phone_once(place: Place) -> None:
    first, second = place.pay(), place.pay()
    assert first["Location"] == second["Location"]
    assert len(place.far.pushes) == 1


def test_a_failed_payment_says_what_to_do_and_is_tried_again_once(place: Place) -> None:
    address = place.pay()["Location"]
    place.end("refuse")
    page = place.web.get(address).content.decode()
    assert "The payment was cancelled on the telephone." in page
    assert "Try again and type your PIN." in page
    again = [place.web.post(address + "again/")["Location"] for _ in range(2)]
    assert again[0] == again[1] != address
    assert len(place.far.pushes) == 2


def test_trying_again_what_is_still_open_asks_nobody(place: Place) -> None:
    address = place.pay()["Location"]
    assert place.web.post(address + "again/")["Location"] == address
    assert len(place.far.pushes) == 1


def test_trying_again_what_was_paid_asks_nobody(place: Place) -> None:
    address = place.pay()["Location"]
    place.end()
    assert place.web.post(address + "again/")["Location"] == address
    assert len(place.far.pushes) == 1


def test_money_into_the_wallet(place: Place) -> None:
    values = {"account": str(place.account.id), "phone": "0712345678", "key": "0123456789abcdef", "amount": "200"}
    address = place.web.post("/client/top-up/", values)["Location"]
    place.end()
    assert place.wallet(place.line) == Decimal("200.00")
    assert "Paid. Thank you." in place.web.get(address).content.decode()


@pytest.mark.parametrize("amount", ["0", "-5", "0.001", "99999999", "NaN", "", "x"])
def test_no_such_amount_is_asked_for(place: Place, amount: str) -> None:
    values = {"account": str(place.account.id), "phone": "0712345678", "key": "0123456789abcdef", "amount": amount}
    assert place.web.post("/client/top-up/", values).status_code == 422
    assert place.payments() == []


def test_it_is_said_with_what_is_paid_and_that_a_pin_is_asked_for(place: Place) -> None:
    for path in ("/client/", "/client/top-up/"):
        page = place.web.get(path).content.decode()
        assert f"You pay with {place.account.label}." in page
        assert "After “Pay”, this telephone asks for the PIN." in page


def test_the_telephone_is_asked_for_what_the_page_said_where_the_balance_pays_a_part(place: Place) -> None:
    place.cash(place.line, "499.50")
    home = place.web.get("/client/").content.decode()
    assert "Your balance of KES 499.50 is used first. The telephone is asked for the rest." in home
    assert "The telephone is asked for KES 1,001.00." in home  # M-Pesa takes whole shillings
    address = place.pay()["Location"]
    assert [row.amount for row in place.payments() if row.purpose == "recharge"] == [Decimal(1001)]
    assert "The price is KES 1,500.00. Your balance pays the rest." in place.web.get(address).content.decode()
    place.end()
    assert "KES 1,500.00" in place.web.get(address).content.decode()
    assert place.wallet(place.line) == Decimal("0.50")


def test_a_balance_that_covers_the_next_time_is_said_and_stays(place: Place) -> None:
    place.cash(place.line, "1500")
    place.cash(place.line, "1500", "another")
    home = place.web.get("/client/").content.decode()
    assert "Your balance of KES 1,500.00 pays for your next time by itself. You need not pay now." in home
    assert "The telephone is asked for KES 1,500.00." in home
    place.pay()
    place.end()
    assert [row.amount for row in place.payments() if row.purpose == "recharge"] == [Decimal(1500)]
    assert place.wallet(place.line) == Decimal(1500)


def test_a_balance_that_will_not_be_used_by_itself_is_not_promised(place: Place) -> None:
    place.cash(place.line, "1500")
    place.cash(place.line, "1500", "another")
    place.ask(lambda: Subscription.objects.update(is_auto_renewed=False))
    home = place.web.get("/client/").content.decode()
    assert "by itself. You need not" not in home
    assert "The telephone is asked for KES 1,500.00." in home


def test_an_empty_balance_is_not_spoken_of(place: Place) -> None:
    home = place.web.get("/client/").content.decode()
    assert "is asked for KES" not in home
    assert "Your balance of" not in home


def test_a_neighbour_is_shown_masked_and_gets_the_time(place: Place) -> None:
    place.web.post("/client/neighbour/", {"code": place.other_code.lower()})
    page = place.web.get("/client/neighbour/pay/").content.decode()
    assert "P•••• O•••••" in page
    assert "Otieno" not in page
    address = place.pay("/client/neighbour/pay/", place.other)["Location"]
    place.end()
    assert "Paid. Thank you." in place.web.get(address).content.decode()
    recharge = place.ask(Recharge.objects.get)
    assert (recharge.customer_id, recharge.state) == (place.other.customer_id, "completed")


def test_what_a_neighbour_has_in_his_wallet_is_not_told_by_the_price(place: Place) -> None:
    place.cash(place.other, "500")
    place.web.post("/client/neighbour/", {"code": place.other_code})
    page = place.web.get("/client/neighbour/pay/").content.decode()
    assert "balance" not in page
    assert "The telephone is asked for" not in page
    place.pay("/client/neighbour/pay/", place.other)
    assert [row.amount for row in place.payments() if row.purpose == "recharge"] == [Decimal("1500.000")]


def test_a_neighbours_payment_is_seen_by_whoever_began_it_alone(place: Place) -> None:
    place.web.post("/client/neighbour/", {"code": place.other_code})
    address = place.pay("/client/neighbour/pay/", place.other)["Location"]
    assert place.web.get(address).status_code == 200
    del_session = place.web.session
    del del_session["portal_paid_for"]
    del_session.save()
    assert place.web.get(address).status_code == 404


def test_only_whom_one_looked_up_is_paid_for(place: Place) -> None:
    place.web.post("/client/neighbour/", {"code": place.other_code})
    assert place.pay("/client/neighbour/pay/", place.line).status_code == 404


def test_customer_numbers_are_not_tried_without_end(place: Place) -> None:
    tried = [place.web.post("/client/neighbour/", {"code": f"C9{number:03d}"}) for number in range(21)]
    assert "Nobody here has this number." in tried[19].content.decode()
    assert "Please wait a quarter of an hour." in tried[20].content.decode()


def test_every_reason_has_its_advice() -> None:
    reasons = ("funds", "cancelled", "no_answer", "wrong_pin", "busy", "limit", "expired", "away", "")
    told = {str(advice_of(reason).todo) for reason in reasons}
    assert len(told) == len(reasons)


def test_a_masked_name_tells_the_first_letters_alone() -> None:
    assert masked_name("Jane  Wanjiku-Njoroge") == "J••• W••••••"
    assert re.search("[a-z]", masked_name("jo")[1:]) is None
