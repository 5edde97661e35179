"""What a list of payments is narrowed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from payments.models import Payment, ProviderAccount
from payments.selectors import Narrowed


class PaymentFilter(forms.Form):
    """All fields may stay empty. What cannot be read narrows nothing."""

    q = forms.CharField(
        label=_("Find"),
        required=False,
        max_length=80,
        widget=forms.SearchInput(),
        help_text=_("Receipt, phone, code or name"),
    )
    state = forms.ChoiceField(label=_("State"), required=False)
    account = forms.TypedChoiceField(label=_("Method"), required=False, coerce=UUID, empty_value=None)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    least = forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)
    most = forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)

    def __init__(self, data: Mapping[str, Any], *, accounts: list[ProviderAccount], currency: str) -> None:
        super().__init__(data)
        self.fields["least"].label = _("Amount from, %(currency)s") % {"currency": currency}
        self.fields["most"].label = _("Amount to, %(currency)s") % {"currency": currency}
        states = [("", _("All")), *Payment.State.choices]
        self.fields["state"].choices = states  # type: ignore[attr-defined]
        ways = [("", _("All")), *((str(one.id), one.label) for one in accounts)]
        self.fields["account"].choices = ways  # type: ignore[attr-defined]

    def narrowed(self) -> Narrowed:
        """What was asked for, as far as it can be read."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        return Narrowed(**given)
