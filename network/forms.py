"""What staff type about the network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from network.drivers.base import drivers
from network.models import Router


class WallForm(forms.Form):
    """What else is reachable from behind the wall."""

    hosts = forms.CharField(
        label=_("Also reachable"),
        required=False,
        max_length=8_000,
        help_text=_("One host name, address or network per line, such as bank.example or 10.0.0.0/24."),
        widget=forms.Textarea(attrs={"rows": 8, "class": "form-control code", "spellcheck": "false"}),
    )


class RouterForm(forms.Form):
    """How a router is named and reached. ``kept``: the router as it is; None for a new one."""

    marks_optional = True
    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("What your people call it, such as a place."))
    host = forms.CharField(
        label=_("Address"),
        max_length=120,
        help_text=_("The address or host name at which this server reaches it."),
        widget=forms.TextInput(attrs={"class": "form-control code", "spellcheck": "false", "autocapitalize": "none"}),
    )
    use_tls = forms.BooleanField(
        label=_("Encrypted (API-SSL)"),
        required=False,
        help_text=_("Needs a certificate on the router. Without it the password is readable on the way."),
    )
    port = forms.IntegerField(
        label=_("Port"),
        min_value=1,
        max_value=65_535,
        required=False,
        help_text=_("Leave empty for 8728, or 8729 when encrypted."),
        widget=forms.NumberInput(attrs={"class": "form-control code"}),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        help_text=_("A user of its own for billing, in a group with the policies api, read and write."),
        widget=forms.TextInput(attrs={"class": "form-control code", "spellcheck": "false", "autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, kept: Router | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kept is not None:
            self.fields["password"].required = False
            self.fields["password"].help_text = _("A value is saved. Leave empty to keep it.")

    def clean_host(self) -> str:
        """A bare name or address: no scheme, no path."""
        host: str = self.cleaned_data["host"].strip().strip("[]")
        if not host or any(sign.isspace() or sign in "/@?#%" for sign in host):
            raise forms.ValidationError(_("Enter an address or a host name alone."))
        return host

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        adapter = drivers.get("mikrotik")
        found["port"] = found.get("port") or (
            adapter.default_tls_port if found.get("use_tls") else adapter.default_port
        )
        return found


class SessionFilter(forms.Form):
    """Which sessions are shown. Garbage shows all."""

    q = forms.CharField(
        label=_("Find"),
        required=False,
        max_length=80,
        widget=forms.SearchInput(attrs={"placeholder": _("Name, address or MAC")}),
    )
    router = forms.ChoiceField(label=_("Router"), required=False)

    def __init__(self, *args: Any, routers: Iterable[Router], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All routers")), *((str(one.id), one.name) for one in routers)]
        self.fields["router"].choices = choices  # type: ignore[attr-defined]
