"""What a person would type into each form of the pages, for a tenant's own rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from ispbilling.kernel import clock
from tests.house.world import Address, House


@dataclass(frozen=True, slots=True)
class Sample:
    """A form that is taken: its values for a tenant, who sends it, and the table it writes to."""

    values: Callable[[House], dict[str, Any]]
    who: str
    writes: str
    is_page: bool = False  # the address also answers GET


def _line(house: House) -> dict[str, Any]:
    return {
        "name": "Jane Wanjiku",
        "phone": "0712345678",
        "package": str(house.maker.id_of("packages.Package")),
        "router": str(house.maker.id_of("network.Router")),
        "username": "",
    }


def _pay(house: House) -> dict[str, Any]:
    return {
        "subscription": str(house.maker.id_of("billing.Subscription")),
        "key": uuid4().hex,
        "periods": str(house.maker.row("billing.RechargeOption")["periods"]),
        "account": str(house.maker.id_of("payments.ProviderAccount")),
        "phone": "0712345678",
    }


def _owner(house: House) -> dict[str, Any]:
    return {"customer": str(house.maker.id_of("customers.Customer"))}


def _cash(_: House) -> dict[str, Any]:
    return {"amount": "100", "way": "cash", "reference": "", "key": uuid4().hex, "action": "book"}


def _many(house: House) -> dict[str, Any]:
    return {"action": "stop", "id": str(house.maker.id_of("customers.Customer"))}


def _customer(_: House) -> dict[str, Any]:
    return {"name": "Jane Wanjiku", "phones": "0712345678", "address": "Moi Avenue 3", "area": "Westlands"}


def _gift(_: House) -> dict[str, Any]:
    return {"days": "2", "reason": "sorry", "key": uuid4().hex}


def _file(_: House) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("card.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20)}


def _top_up(house: House) -> dict[str, Any]:
    account = str(house.maker.id_of("payments.ProviderAccount"))
    return {"key": uuid4().hex, "amount": "200", "account": account, "phone": "0712345678"}


def _hold(_: House) -> dict[str, Any]:
    return {"until": (clock.now() + timedelta(days=3)).date().isoformat(), "reason": "promised"}


POLICY = {
    "suspension_mode": "walled",
    "grace_hours": "36",
    "quiet_from_hour": "0",
    "quiet_until_hour": "0",
    "brake_share_percent": "25",
    "brake_minimum": "10",
    "remind_days": "7, 3",
}

#: Where nothing listens: what the router says to being asked is that nobody answers.
ROUTER = {"name": "Hill", "host": "127.0.0.1", "port": "1", "username": "billing", "password": "PLANTED-typed-5f1d"}


def _router_renamed(house: House) -> dict[str, Any]:
    row = house.maker.row("network.Router")
    kept = {name: str(row[name]) for name in ("host", "port", "username")}
    return {**kept, "name": "Hill", **({"use_tls": "on"} if row["use_tls"] else {})}


PACKAGE = {
    "name": "Home 20",
    "price": "2000",
    "tax_class": "standard",
    "period_count": "1",
    "period_unit": "month",
    "download_mbps": "20",
    "upload_mbps": "10",
    "sort_order": "3",
    "is_active": "on",
    "sure": "on",
}
PRICES = {"tax_mode": "contained", "tax_name": "VAT", "tax_percent": "16", "off_1": "0", "off_3": "5"}

#: Every form of staff and customers. An address that takes a form and has none here fails the build.
SAMPLES = {
    "accounts:business": Sample(
        lambda _: {"name": "Savanna", "support_phone": "0712345678", "zone": "Africa/Nairobi", "language": "en"},
        "owner",
        "accounts_tenant",
        is_page=True,
    ),
    "billing:policy": Sample(lambda _: {**POLICY, "action": "sure"}, "owner", "billing_billingpolicy", is_page=True),
    "accounts:brand": Sample(lambda _: {"brand_color": "#123456"}, "owner", "accounts_tenant"),
    "packages:package_add": Sample(lambda _: PACKAGE, "owner", "packages_package", is_page=True),
    "packages:package": Sample(lambda _: PACKAGE, "owner", "packages_package", is_page=True),
    "billing:prices": Sample(lambda _: PRICES, "owner", "billing_billingpolicy", is_page=True),
    "billing:subscription_extend": Sample(
        lambda _: {"days": "3", "reason": "a storm"}, "owner", "billing_subscription"
    ),
    "billing:subscription_expiry": Sample(
        lambda _: {"day": (clock.now() + timedelta(days=9)).date().isoformat(), "reason": "agreed"},
        "owner",
        "billing_subscription",
    ),
    "billing:subscription_end": Sample(lambda _: {"reason": "moved away"}, "owner", "billing_subscription"),
    "billing:subscription_stop": Sample(lambda _: {"action": "stop"}, "owner", "billing_subscription"),
    "billing:subscription_package": Sample(lambda _: {"action": "keep"}, "owner", "billing_subscription", is_page=True),
    "billing:invoice_credit": Sample(
        lambda _: {"amount": "1", "reason": "a day without", "action": "sure"},
        "owner",
        "billing_creditnote",
        is_page=True,
    ),
    "payments:gateway_add": Sample(
        lambda _: {"provider": "cash", "label": "Counter"}, "owner", "payments_provideraccount", is_page=True
    ),
    "payments:gateway": Sample(lambda _: {"action": "off"}, "owner", "payments_provideraccount", is_page=True),
    "payments:gateway_test": Sample(lambda _: {}, "owner", "payments_provideraccount"),
    "sms:channel_add": Sample(
        lambda _: {"channel": "console", "label": "Log"}, "owner", "sms_channelaccount", is_page=True
    ),
    "sms:channel": Sample(lambda _: {"action": "off"}, "owner", "sms_channelaccount", is_page=True),
    "sms:channel_try": Sample(
        lambda _: {"phone": "0712345678", "key": uuid4().hex}, "owner", "sms_message", is_page=True
    ),
    "sms:message_repeat": Sample(lambda _: {"is_sure": "1"}, "owner", "sms_message"),
    "sms:message_write": Sample(
        lambda _: {"text": "The mast is down.", "key": uuid4().hex, "action": "send"},
        "owner",
        "sms_message",
        is_page=True,
    ),
    "sms:wordings": Sample(
        lambda _: {"body": "{isp}: welcome.", "action": "save"}, "owner", "sms_template", is_page=True
    ),
    "accounts:invite": Sample(
        lambda _: {"email": "new@example.org", "role": "support"}, "owner", "accounts_invitation", is_page=True
    ),
    "accounts:invitation": Sample(lambda _: {"action": "withdraw"}, "owner", "accounts_invitation"),
    "accounts:member": Sample(
        lambda _: {"action": "role", "role": "technician"}, "owner", "accounts_membership", is_page=True
    ),
    "accounts:roles": Sample(
        lambda _: {"shown": "messages:view", "grant": "admin messages:view"},
        "owner",
        "accounts_roleoverride",
        is_page=True,
    ),
    "accounts:own": Sample(
        lambda _: {"action": "looks", "theme": "light", "language": "sw"}, "owner", "accounts_user", is_page=True
    ),
    "accounts:second_factor": Sample(lambda _: {"action": "begin"}, "owner", "accounts_totpdevice", is_page=True),
    "dashboard:line_add": Sample(_line, "owner", "network_line", is_page=True),
    "dashboard:start_card": Sample(lambda _: {"show": ""}, "owner", "accounts_tenant"),
    "dashboard:view_save": Sample(
        lambda _: {"name": "Mine", "query": "standing=active"}, "owner", "dashboard_savedview"
    ),
    "dashboard:view_change": Sample(lambda _: {"do": "first"}, "owner", "dashboard_firstview"),
    "dashboard:bulk_plan": Sample(_many, "owner", "kernel_bulkjob"),
    "dashboard:bulk_start": Sample(lambda _: {}, "owner", "kernel_bulkjob"),
    "dashboard:bulk_undo": Sample(lambda _: {}, "owner", "kernel_bulkjob"),
    "dashboard:customer_edit": Sample(_customer, "owner", "customers_customer", is_page=True),
    "dashboard:customer_gift": Sample(_gift, "owner", "billing_subscription"),
    "dashboard:customer_stop": Sample(lambda _: {"do": ""}, "owner", "billing_subscription"),
    "dashboard:customer_delete": Sample(lambda _: {"do": ""}, "owner", "customers_customer"),
    "dashboard:customer_note_add": Sample(lambda _: {"text": "Has a dog."}, "owner", "customers_note"),
    "dashboard:customer_note": Sample(lambda _: {"do": "pin"}, "owner", "customers_note"),
    "dashboard:customer_document_add": Sample(_file, "owner", "customers_document"),
    "dashboard:customer_document_change": Sample(lambda _: {"do": "delete"}, "owner", "customers_document"),
    "dashboard:event_retry": Sample(lambda _: {}, "owner", "kernel_event"),
    "payments:payment_ask": Sample(lambda _: {}, "owner", "payments_paymentattempt"),
    "billing:receipt_owner": Sample(_owner, "owner", "billing_receipt", is_page=True),
    "billing:receipt_return": Sample(lambda _: {"note": "on the portal"}, "owner", "billing_receipt"),
    "billing:statement_line": Sample(_owner, "owner", "billing_receipt", is_page=True),
    "billing:cash": Sample(_cash, "owner", "billing_receipt", is_page=True),
    "billing:customer_hold": Sample(_hold, "owner", "billing_subscription"),
    "billing:cuts_release": Sample(lambda _: {}, "owner", "billing_cutstop"),
    "network:router_try": Sample(lambda _: {}, "owner", "network_router"),
    "network:router_drift_policy": Sample(lambda _: {"policy": "keep"}, "owner", "network_router"),
    "network:router_drift_correct": Sample(lambda _: {}, "owner", "network_line"),
    "network:router_new": Sample(lambda _: {**ROUTER, "action": "ask"}, "owner", "django_session", is_page=True),
    "network:router_edit": Sample(_router_renamed, "owner", "network_router", is_page=True),
    "network:router_switch": Sample(lambda _: {"to": "off"}, "owner", "network_router"),
    "network:session_end": Sample(lambda _: {}, "owner", "network_line"),
    "network:line_ask": Sample(lambda _: {}, "owner", "network_router"),
    "network:wall": Sample(lambda _: {"hosts": "checkout.example.com"}, "owner", "network_wallsettings", is_page=True),
    "portal:pay": Sample(_pay, "customer", "payments_payment"),
    "portal:switch": Sample(
        lambda house: {"customer": str(house.maker.id_of("customers.Customer"))}, "customer", "django_session"
    ),
    "portal:payment_retry": Sample(lambda _: {}, "customer", "payments_payment"),
    "portal:top_up": Sample(_top_up, "customer", "payments_payment", is_page=True),
    "portal:neighbour": Sample(lambda _: {"code": "C1001"}, "customer", "accounts_tries", is_page=True),
    "portal:plan": Sample(
        lambda house: {"package": str(house.maker.id_of("packages.Package")), "when": "next"},
        "customer",
        "billing_subscription",
        is_page=True,
    ),
    "portal:plan_keep": Sample(lambda _: {}, "customer", "billing_subscription"),
    "portal:profile": Sample(
        lambda _: {"email": "jane@example.org", "address": "Kahawa", "language": "sw"},
        "customer",
        "customers_customer",
        is_page=True,
    ),
    "portal:line_confirm": Sample(lambda _: {"code": "123456"}, "customer", "accounts_tries", is_page=True),
    "portal:telephones_confirm": Sample(lambda _: {"code": "123456"}, "customer", "accounts_tries", is_page=True),
    "portal:telephone_change": Sample(
        lambda _: {"number": "+254712345678", "action": "first"}, "customer", "customers_customerphone"
    ),
    "portal:sign_ins_end": Sample(
        lambda house: {"sign_in": str(house.maker.id_of("portal.CustomerSignIn"))}, "customer", "portal_customersignin"
    ),
    "portal_staff:settings": Sample(
        lambda house: {"router": str(house.maker.id_of("network.Router"))},
        "owner",
        "portal_portalsettings",
        is_page=True,
    ),
    "portal_staff:lead": Sample(
        lambda house: {"action": "open", "router": str(house.maker.id_of("network.Router"))}, "owner", "portal_lead"
    ),
}
#: Forms that ask a gateway, outside a transaction: what is taken of them is tried where commits are real.
ASKING = {"portal:pay", "portal:top_up"}
#: A question that names nobody leads to where somebody is chosen.
LEADS_ON = {"billing:receipt_owner"}
POST_ONLY = {name for name, sample in SAMPLES.items() if not sample.is_page}


def form(house: House, address: Address) -> dict[str, Any]:
    """What is filled in at an address; empty where there is nothing to fill in."""
    sample = SAMPLES.get(address.name)
    return sample.values(house) if sample else {}
