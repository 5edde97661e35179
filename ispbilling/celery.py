"""The Celery application and what the beat fires. No truth lives in the queue: every task is harmless twice."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from celery.schedules import schedule as celery_schedule
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ispbilling.settings.dev")

app = Celery("ispbilling")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Django has configured logging already; Celery is not to replace it."""


def steady_now() -> datetime:
    """The machine's uptime as an instant: the beat goes on at its pace whatever happens to the clock."""
    return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


@app.on_after_finalize.connect
def schedule(sender: Celery, **_: Any) -> None:
    """The beat's table: interval in seconds, task, queue.

    What waits for the answers of strangers is in the queues ``outside`` and ``network``, which have workers of their
    own: a gateway or message provider that hangs must not keep money from being booked, or a cut from being made.
    """
    from django.conf import settings

    table = [
        (settings.SWEEP_INTERVAL_S, "ispbilling.kernel.tasks.events_sweep_task", "events"),
        (settings.SWEEP_INTERVAL_S, "payments.tasks.attempts_ask_task", "outside"),
        (60.0, "payments.tasks.gateways_listen_task", "default"),
        (settings.SWEEP_INTERVAL_S, "payments.tasks.statements_read_task", "default"),
        (settings.SWEEP_INTERVAL_S, "ispbilling.kernel.tasks.clock_look_task", "events"),
        (settings.SWEEP_INTERVAL_S, "ispbilling.kernel.tasks.bulk_sweep_task", "default"),
        (settings.CYCLE_INTERVAL_S, "billing.tasks.cycle_run_task", "default"),
        # Done once an hour and once a day (jobs.claim), and offered oftener: a beat begins to count when it starts.
        (60.0, "billing.tasks.ledger_check_task", "default"),
        (300.0, "ispbilling.kernel.tasks.events_purge_task", "default"),
        (300.0, "accounts.tasks.api_traces_purge_task", "default"),
        (settings.SWEEP_INTERVAL_S, "network.tasks.routers_sweep_task", "network"),
        (settings.SWEEP_INTERVAL_S, "sms.tasks.messages_send_task", "outside"),
    ]
    for interval, task, queue in table:
        every = celery_schedule(interval, nowfun=steady_now, app=sender)
        sender.add_periodic_task(every, sender.signature(task), name=task, queue=queue, expires=interval * 2)
    interval, task = settings.HEARTBEAT_INTERVAL_S, "ispbilling.kernel.tasks.heartbeat_task"
    for queue in settings.QUEUES:
        every, sign = celery_schedule(interval, nowfun=steady_now, app=sender), sender.signature(task, args=(queue,))
        sender.add_periodic_task(every, sign, name=f"{task} {queue}", queue=queue, expires=interval * 2)
