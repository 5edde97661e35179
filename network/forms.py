"""What staff type about the network."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class WallForm(forms.Form):
    """What else is reachable from behind the wall."""

    hosts = forms.CharField(
        label=_("Reachable besides"),
        required=False,
        max_length=8_000,
        help_text=_("One host name, address or network a line."),
        widget=forms.Textarea(attrs={"rows": 8, "class": "form-control code", "spellcheck": "false"}),
    )
