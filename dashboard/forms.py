"""What staff type on pages that span apps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from network.selectors import routers_all
from packages.selectors import packages_on_sale


class LineForm(forms.Form):
    """A new customer with a line. Choices are read when the form is made, for the tenant of the request."""

    name = forms.CharField(label=_("Name"), max_length=120)
    phone = forms.CharField(label=_("Telephone"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "tel"}))
    package = forms.ChoiceField(label=_("Package"))
    router = forms.ChoiceField(label=_("Router"))
    username = forms.CharField(
        label=_("PPPoE user name"), max_length=60, required=False, help_text=_("Empty: the customer's code.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        packages = [(str(row.id), row.name) for row in packages_on_sale()]
        routers = [(str(row.id), row.name) for row in routers_all()]
        self.fields["package"].choices = packages  # type: ignore[attr-defined]
        self.fields["router"].choices = routers  # type: ignore[attr-defined]
