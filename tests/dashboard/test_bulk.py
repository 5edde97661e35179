"""One thing done to many customers: shown, done once each, told, taken back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client

from billing.models import Subscription
from billing.services import days_give
from customers.models import Customer
from ispbilling.kernel import bulk, clock, tenancy
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.models import AuditEntry, BulkJob, BulkRow
from ispbilling.kernel.templatetags.show import money
from packages.models import Package
from sms.models import Message
from tests.factories import ACTOR, customer_make, package_make, subscription_make, tenant_make
from tests.staff_pages import LIST, browser_of


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    return browser_of(tenant, "owner")


def paying(number: int) -> list[Customer]:
    made = [subscription_make().customer for _ in range(number)]
    for one in made:
        days_give(customer_id=one.id, days=5, reason="a try", actor=ACTOR)
    return [Customer.objects.get(id=one.id) for one in made]


def until(customers: list[Customer]) -> list[Any]:
    return [Customer.objects.get(id=one.id).paid_until for one in customers]


def extend(customers: list[Customer], days: int = 3) -> BulkJob:
    return bulk.job_plan(
        action="extend",
        targets=[one.id for one in customers],
        parameters={"days": days, "reason": "the mast fell"},
        actor=ACTOR,
    )


def run(job: BulkJob) -> dict[str, int]:
    bulk.job_start(job_id=job.id, actor=ACTOR)
    bulk.job_run(job.id)
    return dict(bulk.job_progress(job.id).counts)


def test_a_preview_changes_nothing_and_says_who_is_left(tenant: Any) -> None:
    customers, nobody = paying(2), customer_make()
    before = until(customers)
    job = extend([*customers, nobody])
    assert dict(bulk.job_progress(job.id).counts) == {"waiting": 2, "skipped": 1}
    assert BulkRow.objects.get(target=nobody.id).note == "has no line"
    assert until(customers) == before


def test_a_job_does_each_once_and_leaves_its_trace(tenant: Any) -> None:
    customers = paying(3)
    before = until(customers)
    job = extend(customers)
    assert run(job) == {"done": 3}
    assert [(after - old).days for after, old in zip(until(customers), before, strict=True)] == [3, 3, 3]
    assert bulk.job_run(job.id) == 0
    assert AuditEntry.objects.filter(verb="subscription.gift", reason="the mast fell").count() == 3
    assert AuditEntry.objects.get(verb="bulk.extend").new["rows"] == 3


def test_one_that_cannot_be_done_does_not_keep_the_others(tenant: Any) -> None:
    customers = paying(3)
    job = extend(customers)
    bulk.action_get("stop").act(customers[1].id, {}, key="k", actor=ACTOR)
    assert run(job) == {"done": 2, "failed": 1}
    assert "no line of this customer" in BulkRow.objects.get(target=customers[1].id).note


def test_an_extension_is_taken_back(tenant: Any) -> None:
    customers = paying(3)
    before = until(customers)
    job = extend(customers)
    run(job)
    days_give(customer_id=customers[2].id, days=1, reason="more", actor=ACTOR)
    undo = bulk.job_undo(job_id=job.id, actor=ACTOR)
    assert bulk.job_undo(job_id=job.id, actor=ACTOR) == undo
    assert run(undo) == {"done": 2, "failed": 1}
    assert until(customers[:2]) == before[:2]


@pytest.mark.parametrize("action", ["stop", "delete"])
def test_what_was_stopped_or_deleted_is_brought_back(tenant: Any, action: str) -> None:
    customers = paying(2)
    job = bulk.job_plan(action=action, targets=[one.id for one in customers], parameters={}, actor=ACTOR)
    assert run(job) == {"done": 2}
    assert {Customer.objects.get(id=one.id).standing for one in customers} == {"stopped"}
    assert run(bulk.job_undo(job_id=job.id, actor=ACTOR)) == {"done": 2}
    assert {Customer.objects.get(id=one.id).standing for one in customers} == {"active"}


def test_a_hold_is_set_and_ended(tenant: Any) -> None:
    customers = paying(2)
    parameters = {"until": clock.now().date().isoformat(), "reason": "holiday"}
    job = bulk.job_plan(action="hold", targets=[one.id for one in customers], parameters=parameters, actor=ACTOR)
    assert run(job) == {"done": 2}
    assert run(bulk.job_undo(job_id=job.id, actor=ACTOR)) == {"done": 2}


def change(customers: list[Customer], package: Package) -> BulkJob:
    parameters = {"package": str(package.id), "package_name": package.name}
    return bulk.job_plan(action="package", targets=[one.id for one in customers], parameters=parameters, actor=ACTOR)


def packages_of(customer: Customer) -> tuple[UUID, UUID | None]:
    found = Subscription.objects.get(customer=customer)
    return found.package_id, found.next_package_id


def test_a_package_is_changed_at_the_next_renewal_and_taken_back(tenant: Any) -> None:
    customers, package = paying(2), package_make()
    before = [packages_of(one) for one in customers]
    job = change(customers, package)
    assert run(job) == {"done": 2}
    assert [packages_of(one) for one in customers] == [(old, package.id) for old, _none in before]
    assert run(bulk.job_undo(job_id=job.id, actor=ACTOR)) == {"done": 2}
    assert [packages_of(one) for one in customers] == before


def test_a_change_that_was_ordered_before_is_ordered_again_by_the_undo(tenant: Any) -> None:
    [one], earlier, package = paying(1), package_make(), package_make()
    run(change([one], earlier))
    job = change([one], package)
    run(job)
    run(bulk.job_undo(job_id=job.id, actor=ACTOR))
    assert packages_of(one)[1] == earlier.id


def test_with_nothing_running_the_package_changes_now_and_back(tenant: Any) -> None:
    one, package = subscription_make().customer, package_make()
    old = packages_of(one)
    job = change([one], package)
    assert run(job) == {"done": 1}
    assert packages_of(one) == (package.id, None)
    assert run(bulk.job_undo(job_id=job.id, actor=ACTOR)) == {"done": 1}
    assert packages_of(one) == old


def test_an_undo_leaves_whoever_was_changed_otherwise_since(tenant: Any) -> None:
    customers, package, other = paying(2), package_make(), package_make()
    job = change(customers, package)
    run(job)
    run(change(customers[:1], other))
    assert run(bulk.job_undo(job_id=job.id, actor=ACTOR)) == {"done": 1, "failed": 1}
    assert packages_of(customers[0])[1] == other.id


def test_a_preview_of_packages_says_what_they_cost_and_who_is_left(tenant: Any) -> None:
    customers, package = paying(2), package_make(price=Decimal(999), name="Home 20")
    stopped = paying(1)[0]
    bulk.action_get("stop").act(stopped.id, {}, key="k", actor=ACTOR)
    Subscription.objects.filter(customer=customers[1]).update(package=package)
    job = change([*customers, stopped], package)
    notes = dict(BulkRow.objects.values_list("target", "note"))
    assert (notes[customers[1].id], notes[stopped.id]) == ("has this package", "was stopped by staff")
    old = Subscription.objects.get(customer=customers[0]).package.money("KES")
    said = bulk.action_get("package").effect([bulk.Plan(customers[0].id, "")], job.parameters)
    assert said == f"One period of each costs KES 999.00 together instead of {money(old)}."


def test_the_page_asks_for_the_package_and_keeps_its_name(here: Client, tenant: Any) -> None:
    [one], package = paying(1), package_make(name="Home 20")
    chosen = {"action": "package", "id": str(one.id)}
    assert "Home 20" in here.post(f"{LIST}bulk/", chosen).content.decode()
    assert here.post(f"{LIST}bulk/", {**chosen, "package": "x"}).status_code == 422
    answer = here.post(f"{LIST}bulk/", {**chosen, "package": str(package.id)})
    assert "Change to Home 20 from the next renewal on" in here.get(answer.url).content.decode()


def test_a_message_goes_to_each_once(tenant: Any) -> None:
    customers = paying(2)
    job = bulk.job_plan(
        action="message", targets=[one.id for one in customers], parameters={"text": "We work tonight."}, actor=ACTOR
    )
    run(job)
    bulk.job_run(job.id)
    assert Message.objects.filter(text="We work tonight.").count() == 2
    with pytest.raises(Conflict):
        bulk.job_undo(job_id=job.id, actor=ACTOR)


def test_nobody_is_no_job(tenant: Any) -> None:
    with pytest.raises(DomainError) as refused:
        extend([])
    assert refused.value.code == "bulk.nobody"


def test_the_pages_lead_from_the_list_to_the_result(here: Client, tenant: Any) -> None:
    customers = paying(2)
    asked = here.post(f"{LIST}bulk/", {"action": "extend", "id": [str(one.id) for one in customers]})
    assert asked.status_code == 200
    sent = {"action": "extend", "all": "1", "query": "standing=active", "days": "2", "reason": "sorry"}
    answer = here.post(f"{LIST}bulk/", sent)
    assert answer.status_code == 302
    assert "2 customers are changed" in here.get(answer.url).content.decode()
    here.post(f"{answer.url}start/")
    job = BulkJob.objects.get()
    assert "every 1s" in here.get(answer.url).content.decode()
    bulk.job_run(job.id)
    done = here.get(answer.url).content.decode()
    assert "2 changed." in done
    assert "Undo" in done
    assert "Give 2 days: sorry" in here.get("/dashboard/customers/bulk/jobs/").content.decode()


def test_a_job_needs_the_permission_of_its_action(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    support = browser_of(tenant, "support")
    [one] = paying(1)
    assert support.post(f"{LIST}bulk/", {"action": "delete", "id": str(one.id)}).status_code == 403
    job = bulk.job_plan(action="delete", targets=[one.id], parameters={}, actor=ACTOR)
    for end in ("", "start/", "undo/"):
        call = support.get if not end else support.post
        assert call(f"/dashboard/customers/bulk/jobs/{job.id}/{end}").status_code == 403
    assert Customer.objects.get(id=one.id).deleted_at is None


WORKER = """
import sys, uuid, django
django.setup()
from ispbilling.kernel import bulk, tenancy
with tenancy.tenant_context(uuid.UUID(sys.argv[1])):
    bulk.job_run(uuid.UUID(sys.argv[2]))
"""


def work(tenant: Any, job: BulkJob, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ispbilling.settings.test", "FAILPOINTS_DIR": str(folder)}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(tenant.id), str(job.id)], env=environment)


def test_a_killed_worker_neither_doubles_nor_skips(committed: None, tmp_path: Path) -> None:
    """Killed between doing a row and committing it; whoever comes next, two at once, does the rest once each."""
    tenant = tenant_make()
    with tenancy.tenant_context(tenant.id):
        with transaction.atomic():
            customers = paying(6)
            before = until(customers)
            job = extend(customers)
            bulk.job_start(job_id=job.id, actor=ACTOR)
        (tmp_path / "kernel.bulk.before_commit").write_text("kill")
        assert work(tenant, job, tmp_path).wait(60) == -signal.SIGKILL
        with transaction.atomic():
            assert bulk.job_progress(job.id).job.state == "running"
            assert dict(bulk.job_progress(job.id).counts) == {"waiting": 6}
        assert bulk.jobs_waiting() == [(tenant.id, job.id)]
        both = [work(tenant, job, tmp_path) for _ in range(2)]
        assert [one.wait(60) for one in both] == [0, 0]
        with transaction.atomic():
            assert bulk.job_progress(job.id).job.state == "done"
            assert [(after - old).days for after, old in zip(until(customers), before, strict=True)] == [3] * 6
            assert AuditEntry.objects.filter(verb="subscription.gift", reason="the mast fell").count() == 6
