"""The customer list and its search: 100,000 customers of one tenant among 1,000,000, as ``app`` under the policies.

The product answers whole requests in this process, from the WSGI environment to the last byte. The floor does for the
same page what must be done whatever a program is written in: it reads session, user and membership, enters the tenant,
asks for 25 rows with everything the list shows in one statement, and writes them as JSON; over the same connection,
by turns with the product.

Rows are copies of customers whom the product's services made: one statement a table, whatever columns the tables have.
Their search tokens are made in SQL, and compared with those the services wrote for the original.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode
from uuid import UUID

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from tests.bench.__main__ import Figure

BIG, SMALL, ALL, OTHERS = 100_000, 1_000, 1_000_000, 44
ROUNDS, ROUNDS_QUICK = 200, 30
SEARCH_ROUNDS = 15
LIST_LIMIT, PAGE_LIMIT, GROWTH_LIMIT = 6.0, 15.0, 1.5
SEARCH_MS = 10.0
LIST_URL, PAGE_URL = "/api/customers?limit=25", "/dashboard/customers/"

#: What a customer is made of, by his number ``g`` and his tenant's ``k``; the original is number 0.
_FIRST = (
    "(ARRAY['Amina','Juma','Rahim','Fatema','Otieno','Wanjiku','Karim','Nusrat','Peter','Grace','Mary','Hassan',"
    "'Ayesha','Samuel','Esther','Abdul','Joyce','Brian','Mercy','Daniel'])[1 + abs(mod(hashint4(g), 20))]"
)
_LAST = "initcap(translate(substr(md5(g || '-' || {k}), 1, 7), '0123456789', 'aeioumnrst'))"
_PHONE = "'+2547' || lpad(mod(g::bigint * 7919931 + {k}, 100000000)::text, 8, '0')"
_USERNAME = "'user' || lpad(mod(g::bigint * 48271 + {k}, 9999991)::text, 7, '0')"
_CODE = "'C' || (1001 + g)"
#: Keys in the order of time, as the product's are.
_ID = "overlay(lpad(to_hex(1700000000000 + g::bigint * 60000), 12, '0') || '7' || substr(md5({of}), 1, 19) PLACING '8' FROM 17 FOR 1)::uuid"  # noqa: E501

#: Session, user, membership and tenant, as a member's request needs them.
_WHO = (
    "SELECT session_data FROM django_session WHERE session_key = %(session)s AND expire_date > now()",
    "SELECT * FROM accounts_user WHERE id = %(user)s",
    "BEGIN",
    "SELECT set_config('app.tenant_id', %(tenant)s, true)",
    "SELECT m.*, t.* FROM accounts_membership m JOIN accounts_tenant t ON t.id = m.tenant_id"
    " WHERE m.user_id = %(user)s",
)
_ROWS = """
SELECT c.id, c.code, c.name, c.email, c.address, c.created_at, p.number, s.state, s.expires_at, k.name, l.username,
    r.name, o.address, o.started_at
FROM customers_customer c
LEFT JOIN LATERAL (SELECT number FROM customers_customerphone p WHERE p.customer_id = c.id AND p.tenant_id = c.tenant_id
    AND p.is_primary LIMIT 1) p ON true
LEFT JOIN LATERAL (SELECT * FROM billing_subscription s WHERE s.customer_id = c.id AND s.tenant_id = c.tenant_id
    ORDER BY s.created_at DESC, s.id DESC LIMIT 1) s ON true
LEFT JOIN packages_package k ON k.id = s.package_id
LEFT JOIN LATERAL (SELECT * FROM network_line l WHERE l.customer_id = c.id AND l.tenant_id = c.tenant_id
    ORDER BY l.created_at DESC, l.id DESC LIMIT 1) l ON true
LEFT JOIN network_router r ON r.id = l.router_id
LEFT JOIN LATERAL (SELECT address, started_at FROM network_session o WHERE o.line_id = l.id
    AND o.tenant_id = c.tenant_id AND o.stopped_at IS NULL LIMIT 1) o ON true
WHERE c.tenant_id = %(tenant)s AND c.kind = 'subscriber' AND c.deleted_at IS NULL
ORDER BY c.created_at DESC, c.id DESC LIMIT 25
"""


@dataclass
class Office:
    """A tenant with so many customers, and its owner's session."""

    number: int
    customers: int
    tenant: UUID
    host: str
    user: UUID
    session: str


def run(scale: float = 1.0) -> Iterator[Figure]:
    """``scale`` makes everybody fewer: 0.05 is a quick look."""
    import logging

    import django

    from tests.bench.__main__ import Figure

    subprocess.run([sys.executable, "manage.py", "migrate", "--database", "owner", "-v0"], check=True)
    os.environ["ALLOWED_HOSTS"] = ".localhost"
    django.setup()
    logging.disable(logging.CRITICAL)
    big, small = _rows_make(scale)
    answer = Answers()

    def floor() -> None:
        _floor(big)

    first = {name: (lambda url=url: answer.of(big, url)) for name, url in (("list", LIST_URL), ("page", PAGE_URL))}
    rounds = ROUNDS if scale >= 1 else ROUNDS_QUICK
    times = _by_turns(rounds, {"floor": floor, **first})
    middle = {name: statistics.median(found) for name, found in times.items()}
    yield Figure("list_p50", middle["list"], middle["floor"], LIST_LIMIT, "ms")
    yield Figure("page_p50", middle["page"], middle["floor"], PAGE_LIMIT, "ms")
    for name, url, last in (("list", LIST_URL, _last_of_list(big)), ("page", PAGE_URL, _last_of_page(answer, big))):
        times = _by_turns(
            rounds,
            {
                "small": lambda url=url: answer.of(small, url),
                "big": lambda url=url: answer.of(big, url),
                "last": lambda url=last: answer.of(big, url),
            },
        )
        high = {which: _p95(found) for which, found in times.items()}
        yield Figure(f"{name}_p95_{small.customers}_to_{big.customers}", high["big"], high["small"], GROWTH_LIMIT, "ms")
        yield Figure(f"{name}_p95_first_to_last_page", high["last"], high["big"], GROWTH_LIMIT, "ms")
    for kind, words in _searches(big).items():
        took = statistics.median(answer.slowest_statement(big, words) for _ in range(SEARCH_ROUNDS))
        yield Figure(f"search_{kind}", took, SEARCH_MS, 1, "ms")
    yield Figure("far_ends_asked", answer.connects, 1, 0, "")


# --- what is measured --------------------------------------------------------------------------------------------


class Answers:
    """The product's own answers. ``connects``: how often it spoke to another machine meanwhile."""

    def __init__(self) -> None:
        from ispbilling.wsgi import application

        self.application = application
        self.connects = 0
        self.is_measuring = False
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and self.is_measuring and isinstance(arguments[1], tuple):
            self.connects += 1

    def of(self, office: Office, url: str) -> bytes:
        """The whole body. Raises AssertionError for anything but 200."""
        from django.test import RequestFactory

        path, _, query = url.partition("?")
        environ = RequestFactory(HTTP_HOST=office.host).get(path).environ
        environ |= {"QUERY_STRING": query, "HTTP_COOKIE": f"sessionid={office.session}"}
        told: list[str] = []
        self.is_measuring = True
        response = self.application(environ, lambda status, _headers, *_: told.append(status))
        body = b"".join(response)
        response.close()
        self.is_measuring = False
        assert told == ["200 OK"], f"{url}: {told} {body[:400]!r}"
        return body

    def slowest_statement(self, office: Office, words: str) -> float:
        """Milliseconds of the longest statement of a search, on the page."""
        from django.db import connection

        times: list[float] = []

        def timed(execute: Callable[..., Any], *arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                times.append((time.perf_counter() - began) * 1000)

        with connection.execute_wrapper(timed):
            self.of(office, f"{PAGE_URL}?q={quote(words)}")
        return max(times)


def _floor(office: Office) -> str:
    from django.db import connection

    given = {"session": office.session, "user": str(office.user), "tenant": str(office.tenant)}
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        for statement in _WHO:
            cursor.execute(statement, given)
        rows = cursor.execute(_ROWS, given).fetchall()
        cursor.execute("COMMIT")
    assert len(rows) == 25
    return json.dumps(rows, default=str)


def _by_turns(rounds: int, works: Mapping[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of each, one after the other, so that what else the machine does meets all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 5):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if number >= 5:  # the first ones load code and plans
                times[name].append((time.perf_counter() - began) * 1000)
    return times


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _last_of_list(office: Office) -> str:
    return f"{LIST_URL}&page={office.customers // 25}"


def _last_of_page(answer: Answers, office: Office) -> str:
    """The address of the oldest customers: where the first page leads, with another row's place put into it."""
    import base64
    import re
    from html import unescape

    body = answer.of(office, PAGE_URL).decode()
    [address] = [unescape(one) for one in re.findall(r'href="([^"]*[?&;]after=[^"]*)"', body)][:1]
    asked = parse_qs(address.partition("?")[2])
    place = json.loads(base64.urlsafe_b64decode(asked["after"][0]))
    with _as_admin() as server:
        at, row_id = server.execute(
            "SELECT created_at, id FROM customers_customer WHERE tenant_id = %s"
            " ORDER BY created_at, id OFFSET 25 LIMIT 1",
            [office.tenant],
        ).fetchone() or ("", "")
    assert len(place) == 2, f"a place in the list is not (instant, id) any more: {place}"
    told = base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(row_id)]).encode()).decode()
    return f"{PAGE_URL}?{urlencode({**{key: value[0] for key, value in asked.items()}, 'after': told})}"


def _searches(office: Office) -> dict[str, str]:
    """Every kind of thing one types, as of somebody in the middle of the list."""
    with _as_admin() as server:
        name, phone, code, username = server.execute(
            "SELECT c.name, p.number, c.code, l.username FROM customers_customer c"
            " JOIN customers_customerphone p ON p.customer_id = c.id AND p.tenant_id = c.tenant_id"
            " JOIN network_line l ON l.customer_id = c.id AND l.tenant_id = c.tenant_id"
            " WHERE c.tenant_id = %s ORDER BY c.created_at OFFSET %s LIMIT 1",
            [office.tenant, office.customers // 2],
        ).fetchone() or ("", "", "", "")
    first, last = name.split()
    return {
        "name_begin": last[:4],
        "common_name": first,
        "both_names": name,
        "common_and_rare": f"{first[:3]} {last[:3]}",
        "one_letter": first[:1],
        "phone_local": "0" + phone[4:],
        "phone_whole": phone,
        "phone_end": phone[-6:],
        "few_digits": phone[-3:],
        "code": code,
        "username": username,
        "nobody": "zzqqxx",
    }


# --- rows --------------------------------------------------------------------------------------------------------


@contextmanager
def _as_admin() -> Iterator[psycopg.Connection[Any]]:
    from tests.servers import with_database

    name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
    with psycopg.connect(with_database(os.environ["ADMIN_DATABASE_URL"], name), autocommit=True) as server:
        yield server


def _rows_make(scale: float) -> tuple[Office, Office]:
    big = max(int(BIG * scale), 2 * SMALL)
    each = max(int((ALL * scale - big - SMALL) / OTHERS), 100)
    sizes = [big, SMALL, *([each] * OTHERS)]
    offices = [_office(number, size) for number, size in enumerate(sizes)]
    with _as_admin() as server:
        # Keys and triggers were the originals' matter; copies of what is right are right.
        server.execute("SET session_replication_role = replica")
        for office in offices:
            _copies(server, office)
        for table in ("customers_customer", "customers_customerphone", "customers_searchtoken", "billing_subscription",
                      "network_line", "network_session"):  # fmt: skip
            server.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
    return offices[0], offices[1]


def _office(number: int, customers: int) -> Office:
    """A tenant with its owner signed in, and customer number 0, who is online."""
    from django.db import transaction
    from django.test import Client

    from accounts.models import User
    from ispbilling.kernel import clock, tenancy
    from network.models import Session
    from tests import factories

    slug = f"office-{number}-{time.time_ns()}"
    tenant = factories.tenant_make(slug=slug, domains=[f"{slug}.localhost"])
    member = factories.staff_make(tenant, "owner")
    browser = Client(HTTP_HOST=f"{slug}.localhost")
    browser.force_login(User.objects.get(id=member.user_id), "allauth.account.auth_backends.AuthenticationBackend")
    with _as_admin() as server:
        told = server.execute(
            f"SELECT {_FIRST} || ' ' || {_of(_LAST, number)}, {_of(_PHONE, number)}, {_of(_USERNAME, number)}"
            " FROM (SELECT 0 AS g) AS one"
        ).fetchone()
    assert told is not None
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        line = factories.line_make(name=told[0], phones=[told[1]], username=told[2])
        now = clock.machine_now()
        Session.objects.create(
            line=line, router=line.router, key="*1", address="10.0.0.2", mac="", started_at=now, seen_at=now
        )
    return Office(number, customers, tenant.id, f"{slug}.localhost", member.user_id, browser.cookies["sessionid"].value)


def _of(expression: str, number: int) -> str:
    return expression.replace("{k}", str(number))


def _copies(server: psycopg.Connection[Any], office: Office) -> None:
    number, tenant = office.number, office.tenant

    def key(table: str) -> str:
        """The id of customer g's row in a table; the same expression wherever the row is referred to."""
        return _ID.replace("{of}", f"'{table}-{number}-' || g")

    at = f"t.created_at - ({office.customers} - g) * interval '1 minute'"
    phone, username = _of(_PHONE, number), _of(_USERNAME, number)
    state = "(ARRAY['active','active','active','active','suspended'])[1 + mod(g, 5)]"
    name = f"{_FIRST} || ' ' || {_of(_LAST, number)}"
    expiry = "now() + (mod(g, 60) - 20) * interval '1 day'"
    # Triggers would write what stands beside the customer; the names of columns that are not there do no harm.
    standing = {"standing": state, "paid_until": expiry}
    _copy(
        server,
        "customers_customer",
        office,
        {"id": key("c"), "code": _CODE, "name": name, "created_at": at, **standing},
    )
    of_customer = {"customer_id": key("c")}
    _copy(server, "customers_customerphone", office, {"id": key("p"), "number": phone, **of_customer})
    bought = {"id": key("s"), "created_at": at, "state": state, "expires_at": expiry}
    _copy(server, "billing_subscription", office, {**bought, **of_customer})
    line = {"id": key("l"), "subscription_id": key("s"), "username": username, "created_at": at}
    _copy(server, "network_line", office, {**line, **of_customer})
    _copy(server, "network_session", office, {"id": key("o"), "line_id": key("l")}, where="mod(g, 3) = 0")
    written = server.execute(
        "SELECT source, token FROM customers_searchtoken WHERE tenant_id = %s", [tenant]
    ).fetchall()
    tokens = _tokens(number)
    made = server.execute(f"SELECT DISTINCT source, token FROM (SELECT 0 AS g) AS one, LATERAL ({tokens}) AS made")
    assert set(made.fetchall()) == set(written), "the services write other search tokens than this bench"
    server.execute(
        f"INSERT INTO customers_searchtoken (id, tenant_id, token, source, customer_id)"
        f" SELECT gen_random_uuid(), %s, token, source, {key('c')} FROM generate_series(1, %s - 1) AS g,"
        f" LATERAL (SELECT DISTINCT source, token FROM ({tokens}) AS every) AS made",
        [tenant, office.customers],
    )
    server.execute("UPDATE customers_codecounter SET last = %s WHERE tenant_id = %s", [1001 + office.customers, tenant])


def _copy(
    server: psycopg.Connection[Any], table: str, office: Office, changed: dict[str, str], where: str = "true"
) -> None:
    """As many rows as the office has customers, as the one that is there, but for what is ``changed``."""
    found = server.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = ''",
        [table],
    )
    columns = [row[0] for row in found.fetchall()]
    values = ", ".join(changed.get(name, f't."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    server.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, generate_series(1, %s - 1) AS g"
        f" WHERE t.tenant_id = %s AND {where}",
        [office.customers, office.tenant],
    )


def _tokens(number: int) -> str:
    """Rows (source, token) of customer g, as ``customers.tokens`` makes them of what he is found by."""
    last, username = f"lower({_of(_LAST, number)})", _of(_USERNAME, number)
    digits, code = f"substr({_of(_PHONE, number)}, 2)", "(1001 + g)::text"
    own = [f"lower({_FIRST})", last, f"lower({_FIRST}) || {last}", f"'c' || {code}"]
    own += [digits, f"'~' || reverse({digits})", code, f"'~' || reverse({code})"]
    login = f"substr({username}, 5)"
    lines = [username, login, f"'~' || reverse({login})"]
    rows = [f"('customers', {one})" for one in own] + [f"('network', {one})" for one in lines]
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS tokens(source, token)"
