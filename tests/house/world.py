"""Every address of the product, and everybody who might knock at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import Membership, Role, User
from ispbilling.kernel import access, clock, tenancy
from ispbilling.kernel.access import Audience, Rule
from ispbilling.kernel.models import TenantModel
from portal.auth import SESSION_KEY
from tests.house.rows import RowMaker

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
_addresses = count(1)
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Address:
    """One entry of the resolver. ``name`` carries its namespaces."""

    name: str
    route: str
    view: Any
    rule: Rule | None
    is_plain: bool  # written with path(), not with a regular expression

    def __str__(self) -> str:
        return self.name

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.route)

    def path(self, values: Mapping[str, Any]) -> str:
        return "/" + _PARAMETER.sub(lambda found: str(values[found[1]]), self.route)


def addresses() -> list[Address]:
    """All of them, those of included libraries too."""

    def walk(resolver: URLResolver, prefix: str, namespace: str, is_plain: bool) -> Iterator[Address]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            plain = is_plain and isinstance(entry.pattern, RoutePattern)
            if isinstance(entry, URLResolver):
                inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                yield from walk(entry, route, inner, plain)
            elif isinstance(entry, URLPattern):
                name = f"{namespace}{entry.name}"
                yield Address(name, route, entry.callback, access.rule_of(entry.callback, name), plain)

    return list(walk(get_resolver(), "", "", True))


#: Endpoints for programs stand apart: they take JSON, and one address demands something else of each method.
EVERY = addresses()
API = [one for one in EVERY if hasattr(one.view, "cls")]
ADDRESSES = [one for one in EVERY if one not in API]


def audience(*wanted: Audience) -> list[Address]:
    return [one for one in ADDRESSES if one.rule is not None and one.rule.audience in wanted]


STAFF, CUSTOMER, PUBLIC, HOOK = map(audience, (Audience.STAFF, Audience.CUSTOMER, Audience.PUBLIC, Audience.HOOK))
BY_NAME = {one.name: one for one in ADDRESSES}

#: What stands in a path and is no row's id: parameter → (model, column), or None for a value that is nobody's.
PARAMETERS: dict[str, tuple[str, str] | None] = {
    "key_id": ("accounts.ApiKey", "id"),
    "stop_id": ("billing.CutStop", "id"),
    "receipt_id": ("billing.Receipt", "id"),
    "job_id": ("kernel.BulkJob", "id"),
    "view_id": ("dashboard.SavedView", "id"),
    "account_token": ("payments.ProviderAccount", "token"),
    "attempt_token": ("payments.PaymentAttempt", "token"),
    "token": ("sms.ChannelAccount", "token"),
    "uidb36": None,
    "key": None,
}

#: Addresses whose row is another than the first of its table: (address, parameter) → (model, what is different).
OTHERS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("billing:receipt_owner", "receipt_id"): ("billing.Receipt", {"customer": None}),
    ("billing:receipt_return", "receipt_id"): ("billing.Receipt", {"customer": None}),
}


@dataclass
class House:
    """One of the two tenants, with its host name and the sessions of its people."""

    maker: RowMaker
    users: dict[str, UUID] = field(default_factory=dict)
    members: dict[str, UUID] = field(default_factory=dict)
    sessions: dict[str, SimpleCookie] = field(default_factory=dict)
    others: dict[tuple[str, str], UUID] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.maker.tenant_id

    @property
    def mark(self) -> str:
        return self.maker.mark

    @property
    def host(self) -> str:
        return str(self.maker.row("accounts.Domain")["host"])

    def values(self, address: Address) -> dict[str, Any]:
        """What stands in the address for this tenant's own row."""
        return {name: self.others.get((address.name, name)) or self.value(name) for name in address.parameters}

    def value(self, parameter: str) -> Any:
        """``customer_id`` → the customer's id. Raises LookupError for a parameter nobody can read."""
        if parameter == "member_id":
            return self.members["support"]  # somebody over whom every leader has a say
        if parameter in PARAMETERS:
            place = PARAMETERS[parameter]
            return self.maker.row(place[0])[place[1]] if place else uuid4().hex
        found = [
            model
            for model in apps.get_models()
            if issubclass(model, TenantModel) and f"{model._meta.model_name}_id" == parameter.replace("__", "_")
        ]
        if len(found) != 1:
            raise LookupError(f"which row is <{parameter}>? Say it in PARAMETERS of tests/house/world.py")
        return self.maker.id_of(found[0])

    def path(self, address: Address) -> str:
        return address.path(self.values(address))

    def client(self, who: str = "", *, host: str = "", **settings: Any) -> Client:
        """A browser at this tenant's host: a role's, ``customer``'s, or nobody's. A 500 is an answer, not an error."""
        number = next(_addresses)  # refusals are counted by address, over all tests of a run
        origin = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
        browser = Client(HTTP_HOST=host or self.host, REMOTE_ADDR=origin, raise_request_exception=False, **settings)
        if who:
            browser.cookies = SimpleCookie(self.sessions[who].output(header="", sep=";"))
        return browser

    @contextmanager
    def writing(self) -> Iterator[RowMaker]:
        """Makes more rows of this tenant in the transaction of the test."""
        with tenancy.tenant_context(self.id), connection.cursor() as cursor:
            yield self.maker.on(cursor.cursor)

    @contextmanager
    def neighbour(self) -> Iterator[House]:
        """Another customer of this tenant with everything that is a customer's, in the transaction of the test."""
        with self.writing() as maker:
            customers = {apps.get_model("customers.Customer")}
            for _ in maker.rows:  # what refers to a customer's row is a customer's too
                customers |= {model for model in maker.rows for one in model._meta.local_concrete_fields
                              if one.related_model in customers}  # fmt: skip
            maker.rows = {model: row for model, row in maker.rows.items() if model not in customers}
            for model in customers:
                maker.row(model)
            yield House(maker, self.users, self.sessions)

    def open(self) -> None:
        """Give every role a person, and sign in everybody. To be called where commits are real."""
        for role in Role.values:
            if role == "owner":
                self.users[role] = self.maker.row(Membership)["user_id"]
            else:
                self.users[role] = self.maker.fresh(User)["id"]
                self.members[role] = self.maker.fresh(Membership, user=self.users[role], role=role)["id"]
        self.maker.fresh(apps.get_model("payments.ProviderAccount"), provider="cash")  # the counter
        for place, (model, different) in OTHERS.items():
            self.others[place] = self.maker.fresh(apps.get_model(model), **different)["id"]
        self.maker.cursor.connection.commit()
        for role, user in self.users.items():
            browser = Client(HTTP_HOST=self.host)
            browser.force_login(User.objects.get(id=user), BACKEND)
            self.sessions[role] = browser.cookies
        self.sessions["customer"] = self.customer_session(self.maker.id_of("customers.Customer"))

    def customer_session(self, customer: UUID, **more: Any) -> SimpleCookie:
        browser = Client(HTTP_HOST=self.host)
        session = browser.session
        session[SESSION_KEY] = [str(self.id), str(customer)]
        session["portal_owners"] = [str(customer)]
        session.update(more)
        session.save()
        return browser.cookies


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


def person(address: Address) -> str:
    """Who comes in at an address."""
    return (
        {Audience.STAFF: "owner", Audience.CUSTOMER: "customer"}.get(address.rule.audience, "") if address.rule else ""
    )


def fingerprint(*, tenant: UUID | None = None) -> dict[str, tuple[int, int]]:
    """Table → how many rows it has and a digest of them all: what is compared to see that nothing happened.

    With ``tenant`` its rows alone.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE platform")
        parts = []
        for table, column in _columns(cursor):
            digest = "coalesce(sum(hashtextextended(t::text, 0)), 0)"
            whose = "" if tenant is None else f" WHERE \"{column}\" = '{tenant}'" if column else " WHERE false"
            parts.append(f"SELECT '{table}', count(*), {digest} FROM \"{table}\" t{whose}")
        cursor.execute(" UNION ALL ".join(parts))
        found = {name: (count, digest) for name, count, digest in cursor.fetchall()}
        cursor.execute("SET LOCAL ROLE NONE")
    return found


def _columns(cursor: Any) -> list[tuple[str, str]]:
    """(table, the column that says whose a row is) of every table."""
    cursor.execute(
        "SELECT c.relname, CASE WHEN c.relname = 'accounts_tenant' THEN 'id' ELSE coalesce(a.attname, '') END"
        " FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
    )
    found: list[tuple[str, str]] = cursor.fetchall()
    return found


def changed(before: Mapping[str, Any]) -> list[str]:
    """Tables that are not as they were."""
    after = fingerprint()
    return sorted(table for table in after if after[table] != before[table])


#: What differs between two answers to the same question: instants, how long something has lasted, form keys, request
#: ids, CSRF tokens.
_PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|csrfmiddlewaretoken[^>]*>"
    r"|\d{1,2} \w{3} \d{4}, \d\d:\d\d|\b(?:\d+ h )?\d+ min\b"
)


def plain(answer: Any) -> str:
    """The page without what differs between any two answers."""
    return _PASSING.sub("", answer.content.decode(errors="replace"))


def send(browser: Client, method: str, path: str, data: Any = None, **headers: Any) -> Any:
    """One request; ``data`` is a form."""
    if method == "GET":
        return browser.get(path, data, **headers)
    if method == "POST":
        return browser.post(path, data or {}, **headers)
    return browser.generic(method, path, b"", "application/x-www-form-urlencoded", **headers)
