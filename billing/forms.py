"""What staff type about a customer's money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import BillingPolicy


class HoldForm(forms.Form):
    """Until which day, in the tenant's zone, a customer stays online whatever is paid. Empty ends a hold."""

    until = forms.DateField(
        label=_("Online until"), required=False, widget=forms.DateInput(attrs={"type": "date", "class": "form-control"})
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=160)

    def clean_until(self) -> date | None:
        day: date | None = self.cleaned_data["until"]
        if day is not None and day.year > 3000:
            raise forms.ValidationError(_("That day is too far away."))
        return day


class OwnerForm(forms.Form):
    """Whose money it is."""

    customer = forms.UUIDField(widget=forms.HiddenInput)


class ReleaseForm(forms.Form):
    """Why money is taken from a customer."""

    reason = forms.CharField(
        label=_("Why is it not his?"),
        max_length=160,
        help_text=_("Stands in the audit, such as: paid by his neighbour."),
    )


class ReturnForm(forms.Form):
    """How money of nobody was given back."""

    note = forms.CharField(
        label=_("How was it given back?"),
        max_length=160,
        help_text=_("Such as: reversed on the M-Pesa portal, TAF0000001."),
    )


class CashForm(forms.Form):
    """What a customer handed over. ``key`` makes a second sending of the same form harmless."""

    amount = forms.DecimalField(
        label=_("Amount"),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal"}),
    )
    way = forms.ChoiceField(
        label=_("How"), choices=[("cash", _("Cash")), ("bank", _("Bank transfer")), ("other", _("Another way"))]
    )
    reference = forms.CharField(
        label=_("Reference"),
        required=False,
        max_length=100,
        help_text=_("Number of the slip or transfer, for your own books."),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=32)

    @property
    def note(self) -> str:
        """What stands in the audit."""
        return f"{self.cleaned_data['way']} {self.cleaned_data['reference']}".strip()


_BOX = {"class": "form-check-input"}
_WEEKDAYS = [
    (0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")), (5, _("Saturday")),
    (6, _("Sunday")),
]  # fmt: skip
_HOURS = [(hour, f"{hour:02d}:00") for hour in range(24)]


class PolicyForm(forms.Form):
    """All rules of a tenant, each with what it does."""

    suspension_mode = forms.ChoiceField(
        label=_("When paid time runs out"),
        choices=[
            ("walled", _("Show the pay page")),
            ("blocked", _("No connection at all")),
        ],
        help_text=_(
            "With the pay page customers stay connected and can pay. A change reaches everybody who is cut already,"
            " within a minute."
        ),
    )
    grace_hours = forms.IntegerField(
        label=_("Grace period (hours)"),
        min_value=0,
        max_value=24 * 60,
        help_text=_("Customers stay online this long after their paid time ends."),
    )
    ends_at_midnight = forms.BooleanField(
        label=_("Periods end at midnight"),
        required=False,
        widget=forms.CheckboxInput(attrs=_BOX),
        help_text=_(
            "Periods of days and months bought from now on end with their last day, not at the minute of buying."
        ),
    )
    quiet_weekdays = forms.TypedMultipleChoiceField(
        label=_("Days on which nobody is cut"),
        choices=_WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=_BOX),
        help_text=_("A cut that falls on such a day waits until the day is over. Six at most."),
    )
    quiet_from_hour = forms.TypedChoiceField(
        label=_("Quiet hours from"),
        choices=_HOURS,
        coerce=int,
        help_text=_(
            "Nobody is cut in these hours, for example from 20:00, so that nobody loses an evening. Set both to the"
            " same hour for no quiet hours."
        ),
    )
    quiet_until_hour = forms.TypedChoiceField(
        label=_("Quiet hours until"),
        choices=_HOURS,
        coerce=int,
        help_text=_("Cuts that waited are made from this hour on."),
    )
    brake_share_percent = forms.IntegerField(
        label=_("Stop cutting above this share of active customers (%)"),
        min_value=0,
        max_value=100,
        help_text=_("More cuts than this within an hour look like a fault: nobody is cut until one of you has looked."),
    )
    brake_minimum = forms.IntegerField(
        label=_("And above this number of customers"),
        min_value=0,
        max_value=30_000,
        help_text=_("Both limits must be passed, so that a small business is not stopped by three cuts in one hour."),
    )
    remind_days = forms.CharField(
        label=_("Remind customers this many days before the end"),
        required=False,
        max_length=60,
        help_text=_("Numbers with commas, for example 7, 3, 1. Leave it empty to send no reminders."),
    )

    @staticmethod
    def values_of(policy: BillingPolicy) -> dict[str, Any]:
        """The rules as this form shows them."""
        values = {name: getattr(policy, name) for name in PolicyForm.base_fields}
        return {**values, "remind_days": ", ".join(map(str, policy.remind_days))}

    def clean_remind_days(self) -> list[int]:
        words = [word for word in self.cleaned_data["remind_days"].replace(";", ",").split(",") if word.strip()]
        try:
            days = [int(word) for word in words]
        except ValueError:
            raise forms.ValidationError(_("Only numbers and commas, such as 7, 3, 1.")) from None
        if len(set(days)) != len(days) or len(days) > 6 or any(not 1 <= day <= 60 for day in days):
            raise forms.ValidationError(_("Six different numbers at most, each from 1 to 60."))
        return days

    def clean_quiet_weekdays(self) -> list[int]:
        days: list[int] = self.cleaned_data["quiet_weekdays"]
        if len(days) > 6:
            raise forms.ValidationError(_("Leave one day on which customers can be cut."))
        return days

    def changes(self) -> dict[str, Any]:
        """What ``policy_set`` takes."""
        return dict(self.cleaned_data)
