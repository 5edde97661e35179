"""A tenant's settings: the business, suspension, gateways, message accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from billing.models import BillingPolicy, Subscription
from billing.selectors import cuts_under, rules_current
from billing.services import policy_set
from billing.services.cycle import cycle_run
from ispbilling.kernel import clock
from ispbilling.kernel.models import AuditEntry
from payments.models import ProviderAccount
from payments.services import account_ask, provider_account_edit
from payments.services.listening import Answer
from sms.models import ChannelAccount
from sms.services import channel_account_add
from tests import factories
from tests.house.samples import POLICY

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
BUSINESS, RULES, GATEWAYS = "/dashboard/settings/", "/dashboard/settings/suspension/", "/dashboard/settings/gateways/"
TYPED = {"name": "Savanna Two", "support_phone": "0712 345 678", "zone": "Africa/Nairobi", "language": "sw"}


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "owner").user, BACKEND)
    return browser


# --- The business -----------------------------------------------------------------------------------------------


def test_the_business_is_changed_and_the_change_written_down(here: Client, tenant: Any) -> None:
    assert here.post(BUSINESS, TYPED).status_code == 302
    row = Tenant.objects.get()
    assert (row.name, row.support_phone, row.language) == ("Savanna Two", "+254712345678", "sw")
    entry = AuditEntry.objects.get(verb="tenant.change")
    assert (entry.old["name"], entry.new["name"]) == (tenant.name, "Savanna Two")


def test_another_zone_is_asked_for_twice(here: Client) -> None:
    moved = {**TYPED, "zone": "Asia/Dhaka"}
    assert here.post(BUSINESS, moved).status_code == 422
    assert Tenant.objects.get().zone == "Africa/Nairobi"
    assert here.post(BUSINESS, {**moved, "sure": "on"}).status_code == 302
    assert Tenant.objects.get().zone == "Asia/Dhaka"


@pytest.mark.parametrize("wrong", [{"name": ""}, {"zone": "Mars/Olympus"}, {"language": "xx"}, {"support_phone": "12"}])
def test_a_business_that_makes_no_sense_is_not_kept(wrong: dict[str, str], here: Client, tenant: Any) -> None:
    assert here.post(BUSINESS, {**TYPED, **wrong}).status_code == 422
    assert Tenant.objects.get().name == tenant.name


# --- Suspension -------------------------------------------------------------------------------------------------


def running_out(count: int, **after: float) -> list[Subscription]:
    """Active subscriptions whose time runs out so much later."""
    rows = [factories.subscription_make() for _ in range(count)]
    at = clock.now() + timedelta(**after)
    Subscription.objects.update(state=Subscription.State.ACTIVE, expires_at=at, next_change_at=at)
    return rows


def test_every_rule_is_kept(here: Client) -> None:
    form = {
        "suspension_mode": "blocked", "grace_hours": "48", "ends_at_midnight": "on", "quiet_weekdays": ["4", "5"],
        "quiet_from_hour": "20", "quiet_until_hour": "7", "brake_share_percent": "30", "brake_minimum": "15",
        "remind_days": "5, 2",
    }  # fmt: skip
    assert here.post(RULES, form).status_code == 302
    row = BillingPolicy.objects.get()
    assert {name: getattr(row, name) for name in form} == {
        "suspension_mode": "blocked", "grace_hours": 48, "ends_at_midnight": True, "quiet_weekdays": [4, 5],
        "quiet_from_hour": 20, "quiet_until_hour": 7, "brake_share_percent": 30, "brake_minimum": 15,
        "remind_days": [5, 2],
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"grace_hours": "-1"}, {"grace_hours": "9" * 30}, {"quiet_weekdays": list("0123456")}, {"quiet_from_hour": "24"},
     {"remind_days": "7, 7"}, {"remind_days": "seven"}, {"remind_days": "61"},
     {"suspension_mode": "never"}, {"brake_share_percent": "101"}],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_not_kept(wrong: dict[str, Any], here: Client) -> None:
    before = BillingPolicy.objects.values().get()
    assert here.post(RULES, {**POLICY, **wrong, "action": "sure"}).status_code == 422
    assert BillingPolicy.objects.values().get() == before


def test_a_look_at_tonight_keeps_nothing(here: Client) -> None:
    running_out(3, hours=2)
    policy_set(changes={"grace_hours": 48}, actor=factories.ACTOR)
    page = here.post(RULES, {**POLICY, "grace_hours": "0", "action": "preview"}).content.decode()
    assert '<dd class="num">0</dd>' in page
    assert '<dd class="num t-bad">3</dd>' in page
    assert BillingPolicy.objects.get().grace_hours == 48


def test_rules_that_cut_more_are_asked_for_twice(here: Client) -> None:
    running_out(3, hours=2)
    policy_set(changes={"grace_hours": 48}, actor=factories.ACTOR)
    harder = {**POLICY, "grace_hours": "0"}
    answer = here.post(RULES, {**harder, "action": "save"})
    assert answer.status_code == 422
    assert "3 customers would be cut within 24 hours, instead of 0" in answer.content.decode()
    assert BillingPolicy.objects.get().grace_hours == 48
    assert here.post(RULES, {**harder, "action": "sure"}).status_code == 302
    assert BillingPolicy.objects.get().grace_hours == 0


def test_the_look_counts_as_the_night_will(tenant: Any) -> None:
    running_out(2, hours=2)
    assert cuts_under(rules=rules_current(), within=timedelta(hours=24)) == (2, False)
    clock.travel(timedelta(hours=3))
    cycle_run()
    assert Subscription.objects.filter(state=Subscription.State.SUSPENDED).count() == 2


def test_a_shorter_grace_reaches_whoever_is_in_it(tenant: Any) -> None:
    policy_set(changes={"grace_hours": 72}, actor=factories.ACTOR)
    running_out(1, hours=1)
    clock.travel(timedelta(hours=2))
    cycle_run()
    assert Subscription.objects.get().state == Subscription.State.GRACE
    policy_set(changes={"grace_hours": 0}, actor=factories.ACTOR)
    cycle_run()
    assert Subscription.objects.get().state == Subscription.State.SUSPENDED


# --- Gateways ---------------------------------------------------------------------------------------------------


def mpesa_form(**changes: str) -> dict[str, str]:
    typed = {f"config_{name}": value for name, value in factories.MPESA_CONFIG.items()}
    return {"provider": "mpesa", "label": "Paybill", **typed, **changes}


def test_a_gateway_is_added_by_the_form_its_adapter_asks_for(here: Client) -> None:
    page = here.get(f"{GATEWAYS}new/?provider=mpesa").content.decode()
    assert 'type="password" name="config_consumer_secret"' in page
    assert 'type="text" name="config_business_shortcode"' in page
    answer = here.post(f"{GATEWAYS}new/", mpesa_form())
    row = ProviderAccount.objects.get()
    assert answer["Location"] == f"{GATEWAYS}{row.id}/"
    assert row.config["consumer_secret"] == "PLANTED-9f2c"
    assert row.config["environment"] == "live"


def test_a_gateway_that_does_not_take_the_currency_is_not_offered(here: Client) -> None:
    Tenant.objects.update(currency="BDT")
    assert "M-Pesa" not in here.get(f"{GATEWAYS}new/").content.decode()
    assert 'name="config_' not in here.post(f"{GATEWAYS}new/", mpesa_form()).content.decode()
    assert ProviderAccount.objects.count() == 0


def test_a_missing_setting_adds_nothing(here: Client) -> None:
    assert here.post(f"{GATEWAYS}new/", mpesa_form(config_passkey="")).status_code == 422
    assert ProviderAccount.objects.count() == 0


def test_a_secret_is_never_read_back_and_an_empty_field_keeps_it(here: Client) -> None:
    account = factories.account_make("mpesa")
    path = f"{GATEWAYS}{account.id}/"
    page = here.get(path).content.decode()
    assert "PLANTED-9f2c" not in page
    assert "A value is saved. Leave empty to keep it." in page
    form = mpesa_form(config_consumer_secret="", config_consumer_key="", config_passkey="", action="save")
    assert here.post(path, {**form, "config_business_shortcode": "600000"}).status_code == 302
    account.refresh_from_db()
    assert account.config["consumer_secret"] == "PLANTED-9f2c"
    assert account.config["business_shortcode"] == "600000"
    wrong = here.post(path, {**form, "config_consumer_secret": "PLANTED-new", "label": ""})
    assert wrong.status_code == 422
    assert "PLANTED" not in wrong.content.decode()


def test_the_audit_names_what_changed_and_shows_no_value(tenant: Any) -> None:
    account = factories.account_make("mpesa")
    ProviderAccount.objects.update(access_token="old", access_token_until=clock.machine_now() + timedelta(hours=1))
    provider_account_edit(
        account_id=account.id, label=account.label, config={"passkey": "PLANTED-next"}, actor=factories.ACTOR
    )
    entry = AuditEntry.objects.get(verb="provider.edit")
    assert entry.new["changed"] == ["passkey"]
    assert "PLANTED" not in f"{entry.old}{entry.new}"
    assert ProviderAccount.objects.get().access_token is None


def test_two_accounts_of_one_name_are_refused(here: Client) -> None:
    first, second = factories.account_make("mpesa"), factories.account_make("mpesa")
    form = mpesa_form(action="save", label=first.label)
    assert here.post(f"{GATEWAYS}{second.id}/", form).status_code == 422


def test_switched_off_a_gateway_is_not_offered_to_customers(here: Client) -> None:
    from payments.selectors import accounts_offered

    account = factories.account_make("mpesa")
    here.post(f"{GATEWAYS}{account.id}/", {"action": "off"})
    assert accounts_offered() == []
    here.post(f"{GATEWAYS}{account.id}/", {"action": "on"})
    assert [row.id for row in accounts_offered()] == [account.id]


def test_a_gateway_that_is_not_there_is_said_to_be_silent(here: Client) -> None:
    account = factories.account_make("mpesa", base_url="http://127.0.0.1:1")
    page = here.post(f"{GATEWAYS}{account.id}/test/", follow=True).content.decode()
    assert "The gateway did not answer" in page
    assert ProviderAccount.objects.get().silent_since is not None


def test_cash_has_nobody_to_ask(tenant: Any) -> None:
    assert account_ask(account_id=factories.account_make("cash").id).answer is Answer.CANNOT


# --- Message accounts -------------------------------------------------------------------------------------------


def test_a_message_account_is_added_changed_and_switched_off(here: Client) -> None:
    path = "/dashboard/settings/messages/"
    form = {"channel": "africastalking", "label": "SMS", "config_username": "savanna", "config_api_key": "PLANTED-at"}
    answer = here.post(f"{path}new/", form)
    row = ChannelAccount.objects.get()
    assert answer["Location"] == f"{path}{row.id}/"
    assert "PLANTED-at" not in here.get(f"{path}{row.id}/").content.decode()
    here.post(f"{path}{row.id}/", {"action": "save", "label": "Bulk", "config_username": "other", "config_api_key": ""})
    row.refresh_from_db()
    assert (row.label, row.config["username"], row.config["api_key"]) == ("Bulk", "other", "PLANTED-at")
    here.post(f"{path}{row.id}/", {"action": "off"})
    row.refresh_from_db()
    assert row.is_enabled is False
    assert {"channel.edit", "channel.off"} <= set(AuditEntry.objects.values_list("verb", flat=True))


def test_a_page_of_messages_shows_what_is_in_use(here: Client) -> None:
    channel_account_add(channel="console", label="The log", config={}, actor=factories.ACTOR)
    assert "The log" in here.get("/dashboard/settings/messages/").content.decode()
