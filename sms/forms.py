"""What staff type about messages."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.ids import url_token
from sms.models import Message
from sms.services.wordings import BODY_LONGEST
from sms.services.written import TEXT_LONGEST
from sms.wording import TEST, WORDINGS, WRITTEN, kind_label

#: What a hidden key may be: letters, digits, ``-`` and ``_``.
_KEY = r"^[\w-]{1,40}$"


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")
    bounds = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
    return forms.DateField(label=label, required=False, widget=widget, validators=bounds)


class MessageFilterForm(forms.Form):
    """Which messages are wanted. Days are the tenant's."""

    q = forms.CharField(label=_("Customer"), required=False, max_length=80)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All")), *Message.State.choices])
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    since = _day(_("From"))
    until = _day(_("To"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(code, kind_label(code)) for code in (*WORDINGS, WRITTEN, TEST)]
        self.fields["kind"].choices = [("", _("All")), *kinds]  # type: ignore[attr-defined]


class _OnceForm(forms.Form):
    """A form whose second click does nothing: its key is the message's."""

    key = forms.RegexField(_KEY, widget=forms.HiddenInput, initial=url_token)


class WriteForm(_OnceForm):
    """Words for one customer."""

    text = forms.CharField(
        label=_("Text"), max_length=TEXT_LONGEST, widget=forms.Textarea(attrs={"rows": 5, "class": "form-control"})
    )


class TryForm(_OnceForm):
    """Where a test goes."""

    phone = forms.CharField(
        label=_("Phone"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"})
    )


class WordingForm(forms.Form):
    """A message in the tenant's own words."""

    body = forms.CharField(
        label=_("Text"), max_length=BODY_LONGEST, widget=forms.Textarea(attrs={"rows": 5, "class": "form-control"})
    )
