"""Settling a payment: the product's services against one SQL statement that writes the same rows.

Both sides write, under the same triggers, policies and keys, as the same role: the payment's state with its audit, the
receipt, three ledger entries with six legs and their balances, the invoice with line and allocation, the subscription
with its audit, the recharge, and three events. Four processes; every payment is told ``1 + duplicates`` times, its
repeats spread over all processes. Afterwards both must have booked each payment exactly once.
"""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from tests.bench.__main__ import Figure

PROCESSES, ROUNDS = 4, 3
PAYMENTS = 300
LIMIT = 8.0
Job = tuple[UUID, UUID, UUID, UUID, UUID, UUID, UUID]

#: Everything a settlement writes, if and only if the payment was still pending.
ONE_STATEMENT = """
WITH paid AS (
    UPDATE payments_payment SET state = 'succeeded', receipt = %(receipt)s, paid_amount = amount, paid_at = now()
    WHERE id = %(payment)s AND state = 'pending' RETURNING id, tenant_id, customer_id, account_id, amount, currency),
audit AS (INSERT INTO kernel_auditentry (id, tenant_id, at, actor, verb, row_type, row_id, old, new, reason,
    source_address) SELECT gen_random_uuid(), tenant_id, now(), 'system:payments', v, 'payments.payment', id::text,
    '{"state": "pending"}', '{"state": "succeeded"}', '', '' FROM paid,
    unnest(ARRAY['payment.succeeded', 'subscription.active']) v),
receipt AS (INSERT INTO billing_receipt (id, tenant_id, payment_id, customer_id, family, number, method, amount,
    currency, received_at, booked_at) SELECT gen_random_uuid(), tenant_id, id, customer_id, 'cash', %(receipt)s, 'cash',
    amount, currency, now(), now() FROM paid),
entries AS (INSERT INTO billing_ledgerentry (id, tenant_id, key, kind, customer_id, at, memo)
    SELECT e.id, p.tenant_id, e.key, e.kind, p.customer_id, now(), 'Home' FROM paid p, (VALUES
    (%(entry1)s::uuid, 'r' || %(payment)s, 'receipt'), (%(entry2)s::uuid, 'i' || %(payment)s, 'invoice'),
    (%(entry3)s::uuid, 'a' || %(payment)s, 'allocation')) AS e(id, key, kind)),
accounts AS (SELECT a.kind, a.id FROM billing_ledgeraccount a, paid p WHERE a.tenant_id = p.tenant_id
    AND a.currency = p.currency AND (a.kind, a.owner) IN (('clearing', p.account_id::text),
    ('wallet', p.customer_id::text), ('receivable', p.customer_id::text), ('revenue', ''))),
new_legs AS (SELECT l.entry, a.id AS account, l.sign * p.amount AS amount FROM paid p, (VALUES
    (%(entry1)s::uuid, 'clearing', 1), (%(entry1)s, 'wallet', -1), (%(entry2)s, 'receivable', 1),
    (%(entry2)s, 'revenue', -1), (%(entry3)s, 'wallet', 1), (%(entry3)s, 'receivable', -1)) AS l(entry, kind, sign)
    JOIN accounts a ON a.kind = l.kind),
legs AS (INSERT INTO billing_ledgerleg (id, tenant_id, entry_id, account_id, amount)
    SELECT gen_random_uuid(), p.tenant_id, l.entry, l.account, l.amount FROM paid p, new_legs l),
balances AS (INSERT INTO billing_ledgerbalance (id, tenant_id, account_id, amount)
    SELECT gen_random_uuid(), p.tenant_id, l.account, sum(l.amount) FROM paid p, new_legs l
    GROUP BY p.tenant_id, l.account ORDER BY l.account
    ON CONFLICT (tenant_id, account_id) DO UPDATE SET amount = billing_ledgerbalance.amount + excluded.amount),
subscription AS (UPDATE billing_subscription s SET state = 'active', anchor_at = now(), periods = 1,
    expires_at = now() + interval '30 days', next_change_at = now() + interval '30 days' FROM paid p
    WHERE s.id = %(subscription)s RETURNING s.id),
recharge AS (UPDATE billing_recharge r SET state = 'completed', method = 'cash', completed_at = now(),
    new_expires_at = now() + interval '30 days' FROM paid p WHERE r.id = %(recharge)s RETURNING r.id),
events AS (INSERT INTO kernel_event (id, tenant_id, name, key, shard, payload, state, attempts, last_error, created_at,
    not_before) SELECT gen_random_uuid(), tenant_id, n, 'customer:' || customer_id, 0, '{}', 'pending', 0, '', now(),
    now() FROM paid, unnest(ARRAY['payments.succeeded', 'billing.subscription_changed', 'billing.receipt_booked']) n),
counter AS (INSERT INTO billing_invoicecounter AS c (id, tenant_id, year, last)
    SELECT gen_random_uuid(), tenant_id, 2026, 1 FROM paid
    ON CONFLICT (tenant_id, year) DO UPDATE SET last = c.last + 1 RETURNING last),
invoice AS (INSERT INTO billing_invoice (id, tenant_id, customer_id, number, state, net, tax, total, currency,
    issued_at, due_on) SELECT %(invoice)s, tenant_id, customer_id, '2026-' || lpad(last::text, 6, '0'), 'paid', amount,
    0, amount, currency, now(), current_date FROM paid, counter),
line AS (INSERT INTO billing_invoiceline (id, tenant_id, invoice_id, text, quantity, unit_price, discount, total,
    subscription_id) SELECT gen_random_uuid(), tenant_id, %(invoice)s, 'Home', 1, amount, 0, amount, %(subscription)s
    FROM paid)
INSERT INTO billing_allocation (id, tenant_id, invoice_id, entry_id, amount)
SELECT gen_random_uuid(), tenant_id, %(invoice)s, %(entry3)s, amount FROM paid
"""


def run() -> Iterator[Figure]:
    """Median over the rounds of both sides, alternating, for each number of duplicates."""
    from tests.bench.__main__ import Figure

    subprocess.run([sys.executable, "manage.py", "migrate", "--database", "owner", "-v0"], check=True)
    for duplicates in (0, 20):
        values, floors = [], []
        for _ in range(ROUNDS):
            floors.append(_round("floor", duplicates))
            values.append(_round("services", duplicates))
        yield Figure(f"duplicates_{duplicates}", statistics.median(values), statistics.median(floors), LIMIT, "ms")


def _round(side: str, duplicates: int) -> float:
    """Milliseconds a payment took, all its tellings included. Raises AssertionError when one was not booked once."""
    context = multiprocessing.get_context("spawn")
    ready, start, results = context.Semaphore(0), context.Event(), context.Queue()
    with context.Manager() as manager:
        tenant, jobs = _in_process(context, manager)
        tellings = [job for job in jobs for _ in range(1 + duplicates)]
        workers = [
            context.Process(target=_work, args=(side, tenant, tellings[number::PROCESSES], ready, start, results))
            for number in range(PROCESSES)
        ]
        for worker in workers:
            worker.start()
        for _ in workers:
            ready.acquire()
        began = time.perf_counter()
        start.set()
        failures = [results.get() for _ in workers]
        took = time.perf_counter() - began
        for worker in workers:
            worker.join()
        assert failures == [0] * PROCESSES, f"{side}: {failures} failures"
        _call(context, manager, _check, tenant)
    return took * 1000 / PAYMENTS


def _in_process(context: Any, manager: Any) -> tuple[UUID, list[Job]]:
    found: tuple[UUID, list[Job]] = _call(context, manager, _prepare, None)
    return found


def _call(context: Any, manager: Any, work: Callable[..., Any], argument: Any) -> Any:
    """Run in a process of its own, so that this one never holds a database connection while others are forked."""
    answer = manager.dict()
    process = context.Process(target=_answer, args=(work, argument, answer))
    process.start()
    process.join()
    assert process.exitcode == 0, f"{work.__name__} failed"
    return answer["value"]


def _answer(work: Callable[..., Any], argument: Any, answer: Any) -> None:
    _setup()
    answer["value"] = work() if argument is None else work(argument)


def _setup() -> None:
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)


def _prepare() -> tuple[UUID, list[Job]]:
    """A tenant with one customer, subscription, waiting recharge and pending payment per job."""
    from django.db import transaction

    from billing.models import LedgerAccount
    from billing.services import recharge_start
    from ispbilling.kernel import clock, tenancy
    from payments.models import Payment, PaymentAttempt
    from tests import factories

    slug = f"bench-{time.time_ns()}"
    tenant = factories.tenant_make(slug=slug, domains=[f"{slug}.localhost"])
    jobs: list[Job] = []
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        account, package = factories.account_make(), factories.package_make(period_unit="day", period_count=30)
        names = [("clearing", str(account.id)), ("revenue", "")]
        for number in range(PAYMENTS):
            customer = factories.customer_make(phones=[])
            subscription = factories.subscription_make(customer=customer, package=package)
            recharge = recharge_start(subscription_id=subscription.id, periods=1, actor=factories.ACTOR)
            payment = Payment.objects.create(
                account=account,
                customer=customer,
                amount=Decimal(1500),
                currency="KES",
                purpose="recharge",
                purpose_id=recharge.id,
                idempotency_key=str(number),
                receipt_family="cash",
                state=Payment.State.PENDING,
                created_at=clock.now(),
                started_at=clock.machine_now(),
            )
            attempt = PaymentAttempt.objects.create(
                payment=payment, account=account, reference=f"P{number:011d}", started_at=clock.machine_now()
            )
            names += [("wallet", str(customer.id)), ("receivable", str(customer.id))]
            jobs.append((payment.id, attempt.id, customer.id, account.id, subscription.id, recharge.id, customer.id))
        LedgerAccount.objects.bulk_create(
            LedgerAccount(kind=kind, owner=owner, currency="KES") for kind, owner in names
        )
    return tenant.id, jobs


def _work(side: str, tenant: UUID, jobs: list[Job], ready: Any, start: Any, results: Any) -> None:
    _setup()
    from django.db import connection, transaction

    from ispbilling.kernel import tenancy

    tell = {"floor": _tell_floor, "services": _tell_services}[side]
    connection.ensure_connection()
    failures = 0
    with tenancy.tenant_context(tenant):
        ready.release()
        start.wait()
        for job in jobs:
            with transaction.atomic():
                failures += tell(job)
    results.put(failures)


def _tell_floor(job: Job) -> int:
    from uuid import uuid4

    from django.db import connection

    payment, _, _, _, subscription, recharge, _ = job
    with connection.cursor() as cursor:
        cursor.execute(
            ONE_STATEMENT,
            {
                "payment": payment,
                "receipt": f"R{payment}",
                "subscription": subscription,
                "recharge": recharge,
                "invoice": uuid4(),
                "entry1": uuid4(),
                "entry2": uuid4(),
                "entry3": uuid4(),
            },
        )
    return 0


def _tell_services(job: Job) -> int:
    """A callback's way through payments and, when it settled, through billing, as the drainer takes it."""
    from billing.services import receipt_record
    from ispbilling.kernel import clock
    from ispbilling.kernel.money import Money
    from payments.providers.base import Outcome, Result
    from payments.services import payment_settle

    payment, attempt, customer, account, _, recharge, _ = job
    receipt = f"R{payment}"
    result = Result(Outcome.SUCCEEDED, receipt=receipt, amount=Money(Decimal(1500), "KES"))
    done = payment_settle(payment_id=payment, attempt_id=attempt, result=result)
    if done == "settled":
        receipt_record(
            payment_id=payment,
            customer_id=customer,
            account_id=account,
            amount=Decimal(1500),
            currency="KES",
            family="cash",
            number=receipt,
            method="cash",
            purpose="recharge",
            purpose_id=recharge,
            received_at=clock.now(),
        )
    return int(done not in ("settled", "repeated"))


def _check(tenant: UUID) -> bool:
    """Each payment booked exactly once. Raises AssertionError."""
    from django.db import transaction

    from billing.models import Invoice, LedgerEntry, LedgerLeg, Receipt, Recharge, Subscription
    from billing.services.ledger import ledger_check
    from ispbilling.kernel import tenancy
    from ispbilling.kernel.models import Event
    from payments.models import Payment

    with tenancy.tenant_context(tenant), transaction.atomic():
        assert Payment.objects.filter(state="succeeded").count() == PAYMENTS
        assert Receipt.objects.count() == PAYMENTS
        assert (LedgerEntry.objects.count(), LedgerLeg.objects.count()) == (3 * PAYMENTS, 6 * PAYMENTS)
        assert Recharge.objects.filter(state="completed").count() == PAYMENTS
        assert Subscription.objects.filter(state="active", periods=1).count() == PAYMENTS
        assert Event.objects.count() == 3 * PAYMENTS
        numbers = sorted(int(number[-6:]) for number in Invoice.objects.values_list("number", flat=True))
        assert numbers == list(range(1, PAYMENTS + 1))
        assert ledger_check() == []
    return True
