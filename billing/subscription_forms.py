"""What staff type about subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription
from packages.models import Package

#: The third way of changing a package, beside ``services.changes.ChangeInto``.
RENEWAL = "renewal"


class SubscriptionFilter(forms.Form):
    """What the list is narrowed by."""

    q = forms.CharField(label=_("Customer"), required=False, max_length=80)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All")), *Subscription.State.choices])
    package = forms.ChoiceField(label=_("Package"), required=False)
    expires_in = forms.TypedChoiceField(
        label=_("Runs out within"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("Any time")), ("1", _("1 day")), ("3", _("3 days")), ("7", _("7 days")), ("30", _("30 days"))],
    )

    def __init__(self, *args: Any, packages: Iterable[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["package"]
        field.choices = [("", _("All")), *((str(package.id), package.name) for package in packages)]


class _Reasoned(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=160, help_text=_("Stays in the audit, with your name."))


class ExtendForm(_Reasoned):
    """How many days are given."""

    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=366)
    field_order = ("days", "reason")


class ExpiryForm(_Reasoned):
    """Until when it is to run, in the tenant's zone. Without a time: until that day is over."""

    day = forms.DateField(
        label=_("Runs until the end of"), widget=forms.DateInput(attrs={"type": "date", "class": "form-control"})
    )
    at = forms.TimeField(
        label=_("or that day's"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time", "class": "form-control"}),
    )
    field_order = ("day", "at", "reason")

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not 2000 <= day.year <= 3000:
            raise forms.ValidationError(_("That day is too far away."))
        return day


class EndForm(_Reasoned):
    """Why it ends."""


class PackageChangeForm(forms.Form):
    """To which package, and what becomes of what is left of the old one."""

    package = forms.ChoiceField(label=_("New package"))
    into = forms.ChoiceField(
        label=_("What is left of the old one"),
        choices=[
            ("time", _("becomes time of the new one, from now on")),
            ("wallet", _("goes into the wallet, which pays a whole period from now on")),
            (RENEWAL, _("is used up first: the package changes when it ends")),
        ],
    )
    seen = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput())

    def __init__(self, *args: Any, packages: Iterable[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["package"]
        field.choices = [(str(package.id), package.name) for package in packages]
