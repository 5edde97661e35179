"""Every address of the product, and everybody who might knock at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import Membership, Role, User
from ispbilling.kernel import access, tenancy
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
