"""What staff type about a customer's money."""

from __future__ import annotations

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _


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
