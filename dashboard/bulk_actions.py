"""What can be done to many customers at once. Each calls the very service that does it to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.selectors import tenant_current
from billing.calculations import extended_end
from billing.models import Subscription
from billing.selectors import subscription_get, subscriptions_latest
from billing.services import (
    customer_hold,
    days_give,
    days_take,
    package_change_cancel,
    package_change_schedule,
    subscriptions_go_on,
    subscriptions_stop,
)
from customers.models import Customer, CustomerPhone
from customers.services import customer_locked
from dashboard.services import customer_bring_back, customer_remove
from ispbilling.kernel import clock
from ispbilling.kernel.bulk import Action, Plan
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.money import Money
from ispbilling.kernel.templatetags.show import local_time, money
from packages.selectors import package_get
from sms.selectors import preview_of
from sms.services import message_write


class OfCustomers(Action):
    """What they have in common: each customer is read with his latest subscription, in three queries."""

    deleted = False

    def plan(self, targets: Sequence[UUID], parameters: Mapping[str, Any]) -> list[Plan]:
        customers = Customer.objects.in_bulk(targets)
        latest = subscriptions_latest(targets)
        told = {**parameters, "zone": tenant_current().zone_info}
        plans = []
        for target in targets:
            customer = customers.get(target)
            if customer is None:
                continue
            label, subscription = f"{customer.code} {customer.name}", latest.get(target)
            if (customer.deleted_at is not None) != self.deleted:
                skip = _("is not deleted") if self.deleted else _("is deleted")
            else:
                skip = self.skip(customer, subscription, parameters)
            note = "" if skip else self.note(customer, subscription, told)
            plans.append(Plan(target, label, note, skip))
        return plans

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        """Why this one is left as he is; empty for one who is not."""
        return "" if subscription is not None else _("has no line")

    def note(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        """What changes for this one. ``parameters`` also say the tenant's ``zone``."""
        return ""


class Extend(OfCustomers):
    name, title, permission = "extend", gettext_lazy("Give days"), "customers:gift"
    icon, undone_by = "clock", "extend_undo"

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        if subscription is None or subscription.state == Subscription.State.ENDED:
            return _("has no line")
        return _("was stopped by staff") if subscription.stopped_at is not None else ""

    def note(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        assert subscription is not None
        at, zone = clock.now(), parameters["zone"]
        end = extended_end(subscription.expires_at, parameters["days"], at, zone)
        old = local_time(subscription.expires_at, zone)
        return _("paid until %(old)s → %(new)s") % {"old": old, "new": local_time(end, zone)}

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        customer_locked(target)  # before the ends are read: what is paid meanwhile must not be undone with the days
        ends = dict(Subscription.objects.filter(customer_id=target).values_list("id", "expires_at"))
        done = days_give(customer_id=target, days=parameters["days"], reason=parameters["reason"], actor=actor)
        return {
            "subscription": str(done.id),
            "until": done.expires_at.isoformat() if done.expires_at else "",
            "old": old.isoformat() if (old := ends[done.id]) else None,
        }

    def sentence(self, parameters: Mapping[str, Any]) -> str:
        days = parameters["days"]
        said = ngettext("Give %(n)d day", "Give %(n)d days", days) % {"n": days}
        return f"{said}: {parameters['reason']}"

    def effect(self, plans: Sequence[Plan], parameters: Mapping[str, Any]) -> str:
        """What these days would have cost at the packages' prices, roughly."""
        found = subscriptions_latest([plan.target for plan in plans if not plan.skip])
        currency = tenant_current().currency
        hours = {"minute": Decimal(1) / 60, "hour": Decimal(1), "day": Decimal(24), "month": Decimal(730)}
        worth = sum(
            (
                row.package.price
                * parameters["days"]
                * 24
                / (hours[row.package.period_unit] * row.package.period_count)
                for row in found.values()
            ),
            Decimal(0),
        )
        amount = Money.zero(currency) + Money(worth.quantize(Decimal(1)), currency)
        return _("At the packages' prices these days are worth about %(amount)s. Nothing is booked.") % {
            "amount": money(amount)
        }


class ExtendUndo(OfCustomers):
    name, title, permission = "extend_undo", gettext_lazy("Take given days back"), "customers:gift"

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        days_take(
            subscription_id=UUID(parameters["subscription"]),
            given_until=datetime.fromisoformat(parameters["until"]),
            old=datetime.fromisoformat(parameters["old"]) if parameters["old"] else None,
            reason=_("Undone"),
            actor=actor,
        )
        return {}


class ChangePackage(OfCustomers):
    """Another package from each one's next renewal on; whoever has nothing running changes at once. Nothing is booked.

    ``package`` its id, ``package_name`` its name as it was when the job was made.
    """

    name, title, permission = "package", gettext_lazy("Change the package"), "billing:edit"
    icon, undone_by = "package", "package_undo"

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        if subscription is None or subscription.state == Subscription.State.ENDED:
            return _("has no line")
        if subscription.stopped_at is not None:
            return _("was stopped by staff")
        changes_at, until = subscription.package_changes_at, subscription.expires_at
        if changes_at is not None and until is not None and changes_at < until:
            return _("has bought time of another package already")
        has, comes = str(subscription.package_id), str(subscription.next_package_id)
        if comes == parameters["package"]:
            return _("changes to it already")
        return _("has this package") if has == parameters["package"] else ""

    def note(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        assert subscription is not None
        words = {"old": subscription.package.name, "new": parameters["package_name"]}
        if subscription.expires_at is None or subscription.expires_at <= clock.now():
            return _("%(old)s → %(new)s now, nothing is running") % words
        words["when"] = local_time(subscription.expires_at, parameters["zone"])
        return _("%(old)s → %(new)s on %(when)s") % words

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        customer_locked(target)  # what an undo is told stays true until it is written
        known = subscriptions_latest([target]).get(target)
        if known is None:
            raise DomainError("bulk.no_line", _("There is no line of this customer."))
        done = package_change_schedule(subscription_id=known.id, package_id=UUID(parameters["package"]), actor=actor)
        return {
            "subscription": str(done.id),
            "old": str(known.package_id),
            "old_next": str(known.next_package_id or ""),
        }

    def sentence(self, parameters: Mapping[str, Any]) -> str:
        return _("Change to %(package)s from the next renewal on") % {"package": parameters["package_name"]}

    def effect(self, plans: Sequence[Plan], parameters: Mapping[str, Any]) -> str:
        """What one period of each costs, before and after."""
        found = subscriptions_latest([plan.target for plan in plans if not plan.skip])
        currency, package = tenant_current().currency, package_get(UUID(parameters["package"]))
        old = sum((row.package.money(currency) for row in found.values()), Money.zero(currency))
        new = sum((package.money(currency) for _row in found), Money.zero(currency))
        return _("One period of each costs %(new)s together instead of %(old)s.") % {
            "new": money(new),
            "old": money(old),
        }


class ChangePackageUndo(OfCustomers):
    """The ordered change is taken back, with what was ordered before in its place."""

    name, title, permission = "package_undo", gettext_lazy("Keep the package"), "billing:edit"

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        customer_locked(target)
        subscription = subscription_get(UUID(parameters["subscription"]))
        has, comes = str(subscription.package_id), str(subscription.next_package_id or "")
        is_running = subscription.expires_at is not None and subscription.expires_at > clock.now()
        if comes == parameters["package"] and not parameters["old_next"]:
            package_change_cancel(subscription_id=subscription.id, actor=actor)
            return {}
        if comes == parameters["package"]:
            wanted = parameters["old_next"]
        elif has == parameters["package"] and not comes and not is_running:
            wanted = parameters["old"]
        else:
            raise Conflict("bulk.moved", _("The package was changed since, or is paid for."))
        package_change_schedule(subscription_id=subscription.id, package_id=UUID(wanted), actor=actor)
        return {}


class Hold(OfCustomers):
    name, title, permission = "hold", gettext_lazy("Keep online until a day"), "cuts:hold"
    icon, undone_by = "shield-check", "hold_undo"

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        day, zone = date.fromisoformat(parameters["until"]), tenant_current().zone_info
        until = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
        customer_hold(customer_id=target, until=until, reason=parameters["reason"], actor=actor)
        return {}

    def sentence(self, parameters: Mapping[str, Any]) -> str:
        return _("Keep online until %(day)s, paid or not") % {"day": parameters["until"]}


class HoldUndo(OfCustomers):
    name, title, permission = "hold_undo", gettext_lazy("Keep online no longer"), "cuts:hold"

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        customer_hold(customer_id=target, until=None, reason="", actor=actor)
        return {}


class Stop(OfCustomers):
    name, title, permission = "stop", gettext_lazy("Suspend"), "customers:stop"
    icon, tone, undone_by = "x", "danger", "go_on"

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        if subscription is None or subscription.state == Subscription.State.ENDED:
            return _("has no line")
        return _("is suspended by staff already") if subscription.stopped_at is not None else ""

    def note(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return _("goes offline, whatever is paid for")

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        subscriptions_stop(customer_id=target, actor=actor)
        return {}


class GoOn(OfCustomers):
    name, title, permission = "go_on", gettext_lazy("Activate"), "customers:stop"
    icon, undone_by = "check", "stop"

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return (
            "" if subscription is not None and subscription.stopped_at is not None else _("was not suspended by staff")
        )

    def note(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return _("is what it is paid to be again")

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        subscriptions_go_on(customer_id=target, actor=actor)
        return {}


class Write(OfCustomers):
    """One message to each, as it was typed. What left cannot be taken back."""

    name, title, permission, icon = "message", gettext_lazy("Send a message"), "messages:send", "message"

    def plan(self, targets: Sequence[UUID], parameters: Mapping[str, Any]) -> list[Plan]:
        reached = set(CustomerPhone.objects.filter(customer_id__in=targets).values_list("customer_id", flat=True))
        plans = super().plan(targets, parameters)
        return [
            plan if plan.skip or plan.target in reached else replace(plan, note="", skip=_("has no phone"))
            for plan in plans
        ]

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return ""

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        message_write(customer_id=target, text=parameters["text"], key=key, actor=actor)
        return {}

    def sentence(self, parameters: Mapping[str, Any]) -> str:
        return _("Send: %(text)s") % {"text": parameters["text"]}

    def effect(self, plans: Sequence[Plan], parameters: Mapping[str, Any]) -> str:
        """Parts and cost: of the first message, and of all."""
        shown, number = preview_of(parameters["text"]), sum(1 for plan in plans if not plan.skip)
        parts = shown.count.segments
        said = ngettext("The message is %(n)d part long", "The message is %(n)d parts long", parts) % {"n": parts}
        said += _(", so %(all)d are sent.") % {"all": parts * number}
        if shown.cost is None:
            return said
        each, total = (money(amount, shown.currency) for amount in (shown.cost, shown.cost * number))
        return f"{said} " + _("At the last price: %(each)s each, %(total)s together.") % {"each": each, "total": total}


class Delete(OfCustomers):
    name, title, permission = "delete", gettext_lazy("Delete"), "pppoe:delete"
    icon, tone, undone_by = "trash", "danger", "restore"

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return ""

    def note(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return _("lines stop and the customer is hidden, but can be brought back")

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        customer_remove(customer_id=target, actor=actor)
        return {}


class Restore(OfCustomers):
    name, title, permission = "restore", gettext_lazy("Bring back"), "pppoe:delete"
    deleted = True

    def skip(self, customer: Customer, subscription: Subscription | None, parameters: Mapping[str, Any]) -> str:
        return ""

    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        customer_bring_back(customer_id=target, actor=actor)
        return {}


ALL = (Extend, ChangePackage, Hold, Stop, GoOn, Write, Delete, ExtendUndo, ChangePackageUndo, HoldUndo, Restore)
