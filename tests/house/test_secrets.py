"""No secret leaves: in no answer, no log line, no row in clear, audit and events too; not even when all goes wrong."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client

from accounts.models import Membership, User
from ispbilling.kernel import clock, events, outbox, tenancy
from ispbilling.kernel.crypto import EncryptedJSONField, EncryptedTextField
from ispbilling.kernel.errors import Refused, Retryable
from network.models import Line, Router
from network.services import router_check, router_converge
from payments.models import Payment, PaymentAttempt, ProviderAccount
from payments.services import attempts_ask
from simulators.africastalking import AfricasTalking
from simulators.daraja import Daraja, Shop
from simulators.routeros import RouterFarm, SimRouter
from sms.models import ChannelAccount, Message
from sms.services import messages_send
from tests.house.conftest import Two
from tests.house.rows import PASSWORD, tenant_models
from tests.house.samples import ASKING, form
from tests.house.world import ADDRESSES, BY_NAME, HOOK, House, person, send

WRONG = "PLANTED-wrong-password-5b1e"
NEW = "PLANTED-new-password-90aa"


_phones = count(12_345_678)
ENDS_SESSION = {"account_logout", "portal:sign_out", "portal:switch"}


class Ears:
    """All that is said: each record as it was made, at DEBUG, and the log as production writes it."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.caplog = caplog
        self.written = io.StringIO()
        self.handler = logging.StreamHandler(self.written)
        found = [
            one
            for one in logging.getLogger().handlers
            if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)
        ]
        self.handler.setFormatter(found[0].formatter)
        self.handler.setLevel(logging.DEBUG)

    def text(self) -> str:
        said = [
            f"{record.getMessage()} {record.msg!r} {record.args!r} {vars(record)!r}" for record in self.caplog.records
        ]
        return "\n".join([self.written.getvalue(), self.caplog.text, *said])


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture) -> Iterator[Ears]:
    caplog.set_level(logging.DEBUG)
    heard = Ears(caplog)
    logging.getLogger().addHandler(heard.handler)
    yield heard
    logging.getLogger().removeHandler(heard.handler)


def secrets_of(house: House) -> dict[str, str]:
    """What must not be found, by what it is."""
    keys = {f"FIELD_KEYS {number}": key for number, key in enumerate(django_settings.FIELD_KEYS)}
    own = {"staff password": PASSWORD, "wrong password": WRONG, "new password": NEW}
    return {**house.maker.secrets, **own, **keys, "SECRET_KEY": django_settings.SECRET_KEY}


def told(text: str, secrets: dict[str, str]) -> list[str]:
    """Which secrets stand in a text, in clear or as a database writes bytes."""
    return sorted(name for name, secret in secrets.items() if secret in text or secret.encode().hex() in text)


def rows_in_clear() -> dict[str, str]:
    """Table → all its rows as text; the sessions unpacked."""
    found = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE platform")
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")
            found[table] = str(cursor.fetchone()[0])
    found["django_session"] = "\n".join(str(one.get_decoded()) for one in Session.objects.all())
    return found


def nothing_told(ears: Ears, answers: list[Any], secrets: dict[str, str]) -> None:
    assert told(ears.text(), secrets) == []
    for answer in answers:
        whole = f"{answer.content.decode(errors='replace')}{dict(answer.headers)}{answer.cookies.output()}"
        assert told(whole, secrets) == [], answer.request["PATH_INFO"]
    in_rows = {table: told(text, secrets) for table, text in rows_in_clear().items()}
    assert {table: names for table, names in in_rows.items() if names} == {}


def test_there_is_a_secret_in_every_encrypted_column_and_it_can_be_read(houses: Two) -> None:
    """So that not finding it means something."""
    columns = {
        f"{model._meta.label}.{field.name}": (model, field)
        for model in tenant_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField | EncryptedJSONField)
    }
    assert len(columns) >= 5
    planted = set(houses.a.maker.secrets.values())
    with tenancy.tenant_context(houses.a.id):
        for name, (model, field) in columns.items():
            value = getattr(model._default_manager.first(), field.attname)
            clear = set(value.values()) if isinstance(value, dict) else {value.reveal()}
            assert clear & planted, name
            shown = f"{value} {value!r} {vars(model._default_manager.first())!r}"
            assert told(shown, secrets_of(houses.a)) == []


def test_the_ears_hear_what_is_said(ears: Ears) -> None:
    structlog.get_logger("house").debug("said.here", about="PLANTED-loud")
    logging.getLogger("house").debug("said %s", "PLANTED-there")
    try:
        raise LookupError("PLANTED-error")
    except LookupError:
        structlog.get_logger("house").exception("said.wrong")
    assert set(told(ears.text(), {"a": "PLANTED-loud", "b": "PLANTED-there", "c": "PLANTED-error"})) == {"a", "b", "c"}
    assert set(told(ears.written.getvalue(), {"a": "PLANTED-loud", "b": "PLANTED-there"})) == {"a", "b"}


@pytest.mark.parametrize("who", ["owner", "reseller", "customer", ""])
def test_no_address_tells_a_secret(who: str, houses: Two, ears: Ears) -> None:
    answers = []
    for address in sorted(ADDRESSES, key=lambda one: one.name in ENDS_SESSION):
        for values in ({name: uuid4() for name in address.parameters}, houses.a.values(address)):
            if address.name not in ASKING:  # one of them in the test below, outside a transaction
                answers.append(send(houses.a.client(who), "POST", address.path(values), form(houses.a, address)))
                answers.append(send(houses.a.client(who), "POST", address.path(values), {"name": "x", "phone": "x"}))
            answers.append(send(houses.a.client(who), "GET", address.path(values)))
    answers.append(houses.a.client(who).get("/no/such/page"))
    answers.append(houses.a.client(who, enforce_csrf_checks=True).post("/account/login/", {"login": "a"}))
    nothing_told(ears, answers, secrets_of(houses.a))
    wanted = {"owner": {200, 302, 404, 405, 409, 422}, "customer": {200, 302, 404, 405}, "": {200, 302, 404, 405}}
    assert {one.status_code for one in answers} >= wanted.get(who, {200, 403, 404}) | {403}


def test_no_password_is_told_by_signing_in(houses: Two, ears: Ears) -> None:
    with houses.a.writing() as maker:  # somebody whose failures no other test has counted
        person_row = maker.fresh(User)
        maker.fresh(Membership, user=person_row["id"])
    email = str(person_row["email"])

    def sign_in(login: str, password: str, browser: Client | None = None) -> Any:
        values = {"login": login, "password": password}
        return (browser or houses.a.client()).post("/account/login/", values)

    answers = [sign_in("nobody@example.org", WRONG), sign_in(email, WRONG), sign_in(email.upper(), PASSWORD)]
    browser = houses.a.client()
    answers.append(sign_in(email, PASSWORD, browser))
    assert browser.get("/dashboard/").status_code == 200
    change = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    for values in ({"oldpassword": WRONG}, {"password2": "x"}, {"password1": WRONG}):
        answers.append(browser.post("/account/password/change/", {**change, **values}))
    answers.append(browser.post("/account/reauthenticate/", {"password": WRONG}))
    assert {one.status_code for one in answers[-4:]} == {200}
    answers.append(browser.post("/account/password/change/", change))
    assert answers[-1].status_code == 302
    answers.append(houses.a.client().post("/account/signup/", {"email": "n@example.org", "password1": NEW}))
    browser = houses.a.client()
    answers += [sign_in(email, WRONG, browser) for _ in range(6)]  # until the door is locked
    answers.append(sign_in(email, NEW, browser))
    assert answers[-1].status_code != 302
    nothing_told(ears, answers, secrets_of(houses.a))
    assert rows_in_clear()["axes_accessattempt"] != ""


def test_a_one_time_code_is_told_to_its_telephone_alone(houses: Two, ears: Ears) -> None:
    phone = str(houses.a.maker.row("customers.CustomerPhone")["number"])
    browser = houses.a.client()
    answers = [browser.post("/client/sign-in/", {"phone": phone})]
    with tenancy.tenant_context(houses.a.id):
        code = re.findall(r"\b\d{6}\b", Message.objects.get(to=phone, is_secret=True).text)[0]
    answers += [browser.get("/client/sign-in/code/"), browser.post("/client/sign-in/code/", {"code": "000000"})]
    for name in ("sms:messages", "sms:customer_panel", "dashboard:customer", "dashboard:events", "dashboard:home"):
        answers.append(houses.a.client("owner").get(houses.a.path(BY_NAME[name])))
    written = re.compile(rf"(?<![\w.+/=-]){code}(?![\w+/=-])")  # alone: no part of an instant, an id or a token
    assert [one.request["PATH_INFO"] for one in answers if written.search(one.content.decode(errors="replace"))] == []
    assert not written.search(ears.text())
    assert [table for table, text in rows_in_clear().items() if written.search(text)] == ["sms_message"]
    answers.append(browser.post("/client/sign-in/code/", {"code": code}))
    assert answers[-1]["Location"] == "/client/"
    assert not written.search(ears.text())
    assert [table for table, text in rows_in_clear().items() if written.search(text)] == ["sms_message"]


# --- With the outside world at the other end -----------------------------------------------------------------------


@pytest.fixture
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@dataclass
class Outside:
    """Tenant a with its gateway, its message provider and its router at the other end, who know its secrets."""

    house: House
    daraja: Daraja
    sms: AfricasTalking
    router: SimRouter

    @contextmanager
    def inside(self) -> Iterator[None]:
        with tenancy.tenant_context(self.house.id), transaction.atomic():
            yield

    def pay(self) -> Any:
        """Order and pay in the portal."""
        address, phone = BY_NAME["portal:pay"], f"07{next(_phones)}"  # another one each time, or it were a second tap
        values = {**form(self.house, address), "phone": phone}
        return self.house.client("customer").post(self.house.path(address), values)

    def work(self) -> list[str]:
        """What the workers do: ask the gateway, handle events, send messages, converge the router. What came of it."""
        with self.inside():
            PaymentAttempt.objects.filter(next_query_at__isnull=False).update(next_query_at=clock.machine_now())
            Router.objects.update(retry_at=None)
            Message.objects.filter(state="queued").update(next_try_at=clock.machine_now())
        with tenancy.tenant_context(self.house.id):
            attempts_ask()
            while sum(outbox.drain(shard) for shard in range(events.SHARDS)):
                pass
            messages_send()
            came = [router_converge(router_id=self.house.maker.id_of(Router))]
            try:
                router_check(router_id=self.house.maker.id_of(Router))
            except (Refused, Retryable) as error:
                came.append(f"{error!r} {error}")
        return came

    def pages(self) -> list[Any]:
        """Every page of the owner and the customer."""
        return [
            self.house.client(person(address)).get(self.house.path(address)) for address in ADDRESSES if person(address)
        ]

    def secrets(self) -> dict[str, str]:
        """Those of the tenant, and the access token the gateway gave."""
        with self.inside():
            held = ProviderAccount.objects.get(id=self.house.maker.id_of(ProviderAccount)).access_token
        return {**secrets_of(self.house), **({"access token": held.reveal()} if held else {})}


def config_change(model: Any, **values: str) -> None:
    for account in model.objects.all():
        account.config = {**account.config, **values}
        account.save(update_fields=["config"])


@pytest.fixture
def outside(houses_outside: Two, farm: RouterFarm) -> Iterator[Outside]:
    house = houses_outside.a
    planted = house.maker.secrets
    names = ("consumer_key", "consumer_secret", "passkey")
    daraja = Daraja(shops=[Shop(**{name: planted[f"mpesa.{name}"] for name in names})])
    daraja.behaviours[None] = ("hold", 0)
    sms = AfricasTalking(apps={"174379": planted["africastalking.api_key"]})
    line = house.maker.row(Line)
    users = {str(house.maker.row(Router)["username"]): planted["network.Router.password"]}
    far = farm.add("r", users=users, redial_s=0.05)
    far.cpe_add(str(line["username"]), planted["network.Line.password"], "AA:BB:CC:00:00:01")
    place = Outside(house, daraja, sms, far)
    daraja.start()
    sms.start()
    with place.inside():
        Router.objects.update(port=far.port, is_up=None, password=planted["network.Router.password"])
        ProviderAccount.objects.update(base_url=daraja.url, access_token=None, access_token_until=None)
        ChannelAccount.objects.update(base_url=sms.url)
        config_change(ProviderAccount, **{name: planted[f"mpesa.{name}"] for name in names})
        config_change(ChannelAccount, api_key=planted["africastalking.api_key"])
        PaymentAttempt.objects.update(next_query_at=None)
    yield place
    daraja.stop()
    sms.stop()
    del farm.routers["r"]
    far.power(False)


def test_paying_sending_and_converging_tell_no_secret(outside: Outside, ears: Ears) -> None:
    answers = [outside.pay()]
    push = next(iter(outside.daraja.pushes.values()))
    hook = "/hooks/" + push.callback_url.partition("/hooks/")[2]
    outside.daraja.end(push, "lost_callback")
    came = outside.work()
    answers.append(
        outside.house.client().post(hook, outside.daraja.callback_body(push), content_type="application/json")
    )
    came += outside.work()
    answers += outside.pages()
    # All of it did happen, with the secrets on the wire:
    assert came == ["done", "done"]
    with outside.inside():
        payment = Payment.objects.get(attempts__gateway_reference=push.checkout_request_id)
        assert payment.state == Payment.State.SUCCEEDED
        assert Message.objects.filter(state=Message.State.ACCEPTED).exists()
        assert Line.objects.get(id=outside.house.maker.id_of(Line)).is_converged
    assert "access token" in outside.secrets()
    nothing_told(ears, answers, outside.secrets())


@pytest.mark.parametrize("trouble", ["refused", "away"])
def test_the_outside_worlds_refusals_and_silence_tell_no_secret(trouble: str, outside: Outside, ears: Ears) -> None:
    known = outside.secrets()
    with outside.inside():
        if trouble == "refused":
            Router.objects.update(password=WRONG)
            config_change(ProviderAccount, consumer_secret=WRONG, passkey=WRONG)
            config_change(ChannelAccount, api_key=WRONG)
        else:
            Router.objects.update(port=1)
            ProviderAccount.objects.update(base_url="http://127.0.0.1:1")
            ChannelAccount.objects.update(base_url="http://127.0.0.1:1")
        Message.objects.update(state="queued", queued_at=clock.machine_now(), next_try_at=clock.machine_now())
    answers = [outside.pay(), *outside.pages()]
    came = outside.work()
    answers += outside.pages()
    assert came[0] == "away"
    assert answers[0].status_code == 302
    with outside.inside():
        assert "password" in Router.objects.get(id=outside.house.maker.id_of(Router)).last_error or trouble == "away"
    assert told(" ".join(came), known) == []
    nothing_told(ears, answers, {**known, **outside.secrets()})


def test_an_error_nobody_caught_tells_no_secret(
    outside: Outside, ears: Ears, settings: Any, tmp_path: Path, mailoutbox: list[Any]
) -> None:
    settings.FAILPOINTS_DIR = str(tmp_path)
    answers = []
    for name in ("payments.start.before_call", "payments.start.after_call"):
        (tmp_path / name).write_text("raise")
        answers.append(outside.pay())
        (tmp_path / name).unlink()
    assert [one.status_code for one in answers] == [500, 500]
    assert "FailpointHit" in ears.text()
    (tmp_path / "events.after_handler").write_text("raise")
    outside.work()
    nothing_told(ears, [*answers, *outside.pages()], outside.secrets())
    assert mailoutbox == []


@pytest.mark.parametrize("address", HOOK, ids=str)
def test_the_token_of_a_hook_is_not_in_the_log(address: Any, houses: Two, ears: Ears) -> None:
    houses.a.client().get(houses.a.path(address))
    houses.a.client().post(houses.a.path(address), {"id": "x"})
    assert told(ears.text(), {name: str(value) for name, value in houses.a.values(address).items()}) == []
