"""The book's only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import connection, transaction

from billing.models import AccountName, LedgerCheck
from ispbilling.kernel import clock, clockwatch, tenancy
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry to be made. ``legs``: debit positive; they sum to zero. ``key`` names the cause, uniquely."""

    id: UUID
    key: str
    kind: str
    customer_id: UUID | None
    at: datetime
    memo: str
    legs: Sequence[tuple[AccountName, Money]]


def posting(
    *,
    key: str,
    kind: str,
    customer_id: UUID | None,
    at: datetime,
    memo: str,
    debit: AccountName,
    credit: Sequence[tuple[AccountName, Money]],
) -> Posting:
    """An entry with one debited account and one or several credited ones; zero amounts are left out."""
    legs = [(name, -money) for name, money in credit if money]
    total = sum((money for _, money in credit), Money.zero(credit[0][1].currency))
    return Posting(uuid7(), key, kind, customer_id, at, memo, [(debit, total), *legs])


@transaction.atomic(savepoint=False)
def post(postings: Sequence[Posting]) -> None:
    """Write entries, their legs and the new balances, in one statement.

    Accounts come into being when first used. Balance rows are taken in the order of their accounts, so that two
    postings never wait for each other in a circle. Raises ValueError for an entry that does not balance; the database
    would refuse it too. IntegrityError for a key that is in the book already. Unavailable ``clock.wrong``.
    """
    clockwatch.must_date()
    for entry in postings:
        if sum((money.amount for _, money in entry.legs), Decimal(0)) != 0:
            raise ValueError(f"entry {entry.key} does not balance")
        if len({money.currency for _, money in entry.legs}) > 1:
            raise ValueError(f"entry {entry.key} mixes currencies")
    accounts = _accounts({(name, money.currency) for entry in postings for name, money in entry.legs})
    legs = [
        (uuid7(), entry.id, accounts[name, money.currency], money.amount)
        for entry in postings
        for name, money in entry.legs
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH entries AS ("
            " INSERT INTO billing_ledgerentry (id, tenant_id, key, kind, customer_id, at, memo)"
            " SELECT e.id, %(tenant)s, e.key, e.kind, e.customer, e.at, e.memo"
            " FROM unnest(%(ids)s::uuid[], %(keys)s::text[], %(kinds)s::text[], %(customers)s::uuid[],"
            " %(ats)s::timestamptz[], %(memos)s::text[]) AS e(id, key, kind, customer, at, memo)),"
            " new_legs AS (SELECT l.id, l.entry, l.account, l.amount FROM unnest(%(leg_ids)s::uuid[],"
            " %(leg_entries)s::uuid[], %(leg_accounts)s::uuid[], %(leg_amounts)s::numeric[])"
            " AS l(id, entry, account, amount)),"
            " legs AS (INSERT INTO billing_ledgerleg (id, tenant_id, entry_id, account_id, amount)"
            " SELECT id, %(tenant)s, entry, account, amount FROM new_legs)"
            " INSERT INTO billing_ledgerbalance (id, tenant_id, account_id, amount)"
            " SELECT gen_random_uuid(), %(tenant)s, account, sum(amount) FROM new_legs GROUP BY account"
            " ORDER BY account"
            " ON CONFLICT (tenant_id, account_id)"
            " DO UPDATE SET amount = billing_ledgerbalance.amount + excluded.amount",
            {
                "tenant": tenancy.tenant_id_required(),
                "ids": [entry.id for entry in postings],
                "keys": [entry.key for entry in postings],
                "kinds": [entry.kind for entry in postings],
                "customers": [entry.customer_id for entry in postings],
                "ats": [entry.at for entry in postings],
                "memos": [entry.memo[:120] for entry in postings],
                "leg_ids": [leg[0] for leg in legs],
                "leg_entries": [leg[1] for leg in legs],
                "leg_accounts": [leg[2] for leg in legs],
                "leg_amounts": [leg[3] for leg in legs],
            },
        )


def _accounts(wanted: Iterable[tuple[AccountName, str]]) -> dict[tuple[AccountName, str], UUID]:
    """Ids of accounts, made where missing."""
    names = sorted(wanted, key=lambda pair: (pair[0].kind, str(pair[0].owner or ""), pair[1]))
    kinds = [name.kind for name, _ in names]
    owners = [str(name.owner or "") for name, _ in names]
    currencies = [currency for _, currency in names]
    find = (
        "SELECT a.kind, a.owner, a.currency, a.id FROM billing_ledgeraccount a"
        " JOIN unnest(%s::text[], %s::text[], %s::text[]) AS w(kind, owner, currency)"
        " ON a.tenant_id = %s AND a.kind = w.kind AND a.owner = w.owner AND a.currency = w.currency"
    )
    tenant = tenancy.tenant_id_required()
    with connection.cursor() as cursor:
        cursor.execute(find, [kinds, owners, currencies, tenant])
        found = {(row[0], row[1], row[2]): row[3] for row in cursor.fetchall()}
        if len(found) < len(names):
            cursor.execute(
                "INSERT INTO billing_ledgeraccount (id, tenant_id, kind, owner, currency)"
                " SELECT gen_random_uuid(), %s, w.kind, w.owner, w.currency"
                " FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(kind, owner, currency)"
                " ON CONFLICT DO NOTHING",
                [tenant, kinds, owners, currencies],
            )
            cursor.execute(find, [kinds, owners, currencies, tenant])
            found = {(row[0], row[1], row[2]): row[3] for row in cursor.fetchall()}
    return {(name, currency): found[name.kind, str(name.owner or ""), currency] for name, currency in names}


@transaction.atomic
def ledger_check() -> list[dict[str, str]]:
    """Compare every balance of the current tenant with the sum of its legs, and every entry with zero.

    Returns the differences (none is the only good answer); each is also logged as an error.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'balance', a.id::text, coalesce(b.amount, 0)::text, coalesce(l.total, 0)::text"
            " FROM billing_ledgeraccount a"
            " LEFT JOIN billing_ledgerbalance b ON b.tenant_id = a.tenant_id AND b.account_id = a.id"
            " LEFT JOIN (SELECT tenant_id, account_id, sum(amount) AS total FROM billing_ledgerleg"
            " GROUP BY tenant_id, account_id) l ON l.tenant_id = a.tenant_id AND l.account_id = a.id"
            " WHERE coalesce(b.amount, 0) <> coalesce(l.total, 0)"
            " UNION ALL SELECT 'entry', entry_id::text, sum(amount)::text, '0' FROM billing_ledgerleg"
            " GROUP BY entry_id HAVING sum(amount) <> 0"
        )
        rows = cursor.fetchall()
    found = [
        {"what": what, "id": row_id, "is": is_now, "should_be": should_be} for what, row_id, is_now, should_be in rows
    ]
    for difference in found:
        log.error("ledger.difference", **difference)
    return found


#: So many differences are kept word by word; how many there are is kept as a number.
KEPT_DIFFERENCES = 20


@transaction.atomic
def ledger_check_record() -> LedgerCheck:
    """Check the current tenant's book and keep what came of it, for the page of health."""
    found, at = ledger_check(), clock.machine_now()
    row: LedgerCheck = LedgerCheck.objects.select_for_update(no_key=True).first() or LedgerCheck()
    row.checked_at, row.differences, row.found = at, len(found), found[:KEPT_DIFFERENCES]
    row.bad_since = (row.bad_since or at) if found else None
    row.save()
    return row
