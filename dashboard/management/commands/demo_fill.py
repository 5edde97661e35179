"""``manage.py demo_fill``: providers with a history at the simulators' ends. Refused where the clock may not move."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from accounts.models import Role
from billing.models import Subscription
from dashboard.demo.fill import demo_fill, demo_open, demo_wake
from dashboard.demo.houses import houses
from dashboard.demo.opening import PASSWORD, demo_allowed, email_of, house_find
from dashboard.demo.progress import Progress, progress_read
from ispbilling.kernel import clock, phone, tenancy
from ispbilling.kernel.errors import DomainError
from network.models import Line


class Command(BaseCommand):
    help = "With --open: the providers and their log-ins, quickly. Without: their history, from where it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--simulators", required=True, type=Path, help="what the simulators announced")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the pages are")
        parser.add_argument("--open", action="store_true", help="open the providers and print the log-ins only")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--days", type=int, default=90)
        parser.add_argument("--small", action="store_true", help="one provider, one router, twelve customers")

    def handle(self, *_args: Any, **options: Any) -> None:
        # A power cut costs the last second of a history that can be made again: it is not waited for at each commit.
        os.environ["PGOPTIONS"] = f"{os.environ.get('PGOPTIONS', '')} -c synchronous_commit=off".strip()
        connection.close()
        logging.disable(logging.INFO)  # three months of ordinary days are no news
        ends = json.loads(options["simulators"].read_text())
        try:
            demo_allowed()
            progress = progress_read() or self._begin(options)
            if options["open"]:
                demo_open(progress=progress, ends=ends)
                self._log_ins(progress, options["url"])
                return
            if progress.is_complete:
                self._log_ins(progress, options["url"])
            else:
                progress = demo_fill(progress=progress, ends=ends, tell=self._tell)
            demo_wake(progress=progress, ends=ends)
        except DomainError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)  # it goes on where it is
        self._customers(progress, options["url"])

    @staticmethod
    def _begin(options: dict[str, Any]) -> Progress:
        if any(house_find(house) for house in houses(is_small=False)):
            raise CommandError(
                "These data are of another demo. Throw them away with --reset, or choose another --data."
            )
        last = clock.wall().replace(microsecond=0)
        return Progress(options["seed"], options["days"], options["small"], last)

    def _tell(self, progress: Progress) -> None:
        """One line that grows at a terminal, a line every tenth part elsewhere."""
        bar = "#" * (progress.percent * 40 // 100)
        line = f"history {progress.percent:3} %  [{bar:<40}]  {progress.day:%d %b %Y}"
        if self.stdout.isatty():
            end = "\n" if progress.is_complete else ""
            self.stdout.write(f"\r{line}", ending=end)
        elif progress.is_complete or 10 * progress.done // progress.of != 10 * (progress.done - 1) // progress.of:
            self.stdout.write(line)
        self.stdout.flush()

    def _log_ins(self, progress: Progress, url: str) -> None:
        for house in houses(is_small=progress.is_small):
            for role in Role.values:
                page = f"{_at(url, house.hosts[0])}/dashboard/"
                self._say(isp=house.slug, role=role, url=page, email=email_of(house, role), password=PASSWORD)

    def _customers(self, progress: Progress, url: str) -> None:
        """One who has been there from the beginning, and the last one, who has not paid yet."""
        for house in houses(is_small=progress.is_small):
            tenant = house_find(house)
            if tenant is None:
                continue
            with tenancy.platform("demo: customers to try"):
                lines = Line.objects.filter(tenant=tenant).select_related("customer").order_by("created_at", "id")
                paying = lines.filter(subscription__state=Subscription.State.ACTIVE, customer__deleted_at=None)
                found = [paying.first(), lines.last()]
                phones = [line and line.customer.phones.first() for line in found]
            for line, number, role in zip(found, phones, ("customer", "new customer"), strict=True):
                if line is None or number is None:
                    continue
                self._say(
                    isp=house.slug,
                    role=role,
                    url=f"{_at(url, house.hosts[0])}/client/",
                    name=line.customer.name,
                    phone=phone.local(number.number),
                    line=line.username,
                    password=line.password.reveal(),
                )

    def _say(self, **words: str) -> None:
        self.stdout.write(json.dumps(words, ensure_ascii=False))
        sys.stdout.flush()


def _at(url: str, host: str) -> str:
    """The same port under a provider's own name."""
    scheme, _, rest = url.partition("://")
    _, colon, port = rest.partition(":")
    return f"{scheme}://{host}{colon}{port}"
