"""What staff type about invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice

_DAY = {"type": "date", "class": "form-control"}


class InvoiceFilter(forms.Form):
    """What the list is narrowed by. Days are the tenant's."""

    q = forms.CharField(label=_("Number or customer"), required=False, max_length=80)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All")), *Invoice.State.choices])
    since = forms.DateField(label=_("Issued from"), required=False, widget=forms.DateInput(attrs=_DAY))
    until = forms.DateField(label=_("Issued until"), required=False, widget=forms.DateInput(attrs=_DAY))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in ("since", "until"):
            day: date | None = data.get(name)
            if day is not None and not 2000 <= day.year <= 3000:
                self.add_error(name, _("That day is too far away."))
        return data


class CreditForm(forms.Form):
    """How much is taken back, tax contained, and why."""

    amount = forms.DecimalField(
        label=_("Amount, with its tax"),
        min_value=Decimal("0.001"),
        max_value=Decimal("9999999999"),
        decimal_places=3,
        help_text=_("What was paid of it goes into the customer's wallet."),
    )
    reason = forms.CharField(label=_("Why"), max_length=160, help_text=_("Stands on the credit note."))
