"""What subscribers type."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=_("Your telephone number"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel", "autofocus": True}),
    )


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^\s*\d{6}\s*$",
        label=_("The six digits we sent you"),
        error_messages={"invalid": _("Six digits, as in the message.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip()


class PayForm(forms.Form):
    """The lengths and accounts offered are given by the view; anything else is refused."""

    subscription = forms.UUIDField(widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput, min_length=16, max_length=60)
    periods = forms.TypedChoiceField(label=_("How long"), coerce=int, widget=forms.RadioSelect)
    account = forms.ChoiceField(label=_("Pay with"), widget=forms.RadioSelect)
    phone = forms.CharField(
        label=_("Telephone that pays"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )

    def __init__(
        self, *args: Any, periods: list[tuple[int, str]], accounts: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["periods"].choices = periods  # type: ignore[attr-defined]
        self.fields["account"].choices = accounts  # type: ignore[attr-defined]
