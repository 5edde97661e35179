"""What staff type on the pages of customers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer
from customers.selectors import areas_all
from dashboard.customer_list import DELETED
from ispbilling.kernel import phone
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.templatetags.show import money
from network.selectors import routers_all
from packages.selectors import packages_on_sale

_DAYS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
SORT_CHOICES = [("newest", _("Newest first")), ("name", _("By name")), ("expiry", _("Next to run out"))]
YES_NO = [("", _("All")), ("1", pgettext_lazy("filter", "Yes")), ("0", pgettext_lazy("filter", "No"))]


#: What the part of a district is called, by country.
_DISTRICT_PARTS = {"BD": _("Upazila"), "KE": _("Sub-county")}


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, validators=_DAYS)


class CustomerFilterForm(forms.Form):
    """What of the customers a list shows. Everything may be left out; days are the tenant's."""

    q = forms.CharField(
        label=_("Find"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name, code, phone, MAC …")}),
        help_text=_("Also an address, an IP address, an invoice or a receipt."),
    )
    standing = forms.ChoiceField(label=_("State"), required=False)
    package = forms.ChoiceField(label=_("Package"), required=False)
    router = forms.ChoiceField(label=_("Router"), required=False)
    online = forms.ChoiceField(label=_("Online now"), required=False, choices=YES_NO)
    owing = forms.ChoiceField(
        label=_("Owes money"), required=False, choices=[("", _("All")), ("1", pgettext_lazy("filter", "Yes"))]
    )
    within_days = forms.IntegerField(label=_("Runs out within, in days"), required=False, min_value=1, max_value=366)
    runs_out_from = _day(_("Runs out from"))
    runs_out_until = _day(_("Runs out until"))
    created_from = _day(_("Customer since, from"))
    created_until = _day(_("Customer since, until"))
    sort = forms.ChoiceField(label=_("Order"), required=False, choices=SORT_CHOICES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["standing"].choices = [("", _("All")), *Customer.Standing.choices, (DELETED, _("Deleted"))]
        fields["package"].choices = [
            ("", _("All")),
            *((str(one), name) for one, name in packages_on_sale().values_list("id", "name")),
        ]
        fields["router"].choices = [
            ("", _("All")),
            *((str(one), name) for one, name in routers_all().values_list("id", "name")),
        ]

    def asked(self, zone: ZoneInfo) -> dict[str, Any]:
        """The question for ``customer_list.customers_wanted``; what was typed wrongly is left out of it."""
        self.is_valid()
        found = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if "online" in found:
            found["online"] = found["online"] == "1"
        for name in ("runs_out_from", "runs_out_until", "created_from", "created_until"):
            if name in found:
                day = found[name] + timedelta(days=1 if name.endswith("until") else 0)
                found[name] = datetime.combine(day, time(), tzinfo=zone)
        return found


class CustomerForm(forms.Form):
    """Who a customer is, and how to reach him."""

    name = forms.CharField(label=_("Name"), max_length=120)
    phones = forms.CharField(
        label=_("Phones"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "inputmode": "tel"}),
        help_text=_("One per line. Messages go to the first."),
    )
    email = forms.EmailField(label=_("E-mail"), required=False, max_length=254)
    address = forms.CharField(label=_("Address"), required=False, max_length=200)
    language = forms.ChoiceField(label=_("Language of messages"), required=False)
    area = forms.CharField(
        label=_("Area"), required=False, max_length=80, help_text=_("A part of town or a village. New ones are kept.")
    )
    district = forms.CharField(label=_("District"), required=False, max_length=80)
    upazila = forms.CharField(label=_("Part of the district"), required=False, max_length=80)

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["language"].choices = [("", _("Same as the business")), *settings.LANGUAGES]
        self.areas = sorted({area.name for area in areas_all()})
        fields["area"].widget.attrs["list"] = "areas"
        if country in _DISTRICT_PARTS:
            fields["upazila"].label = _DISTRICT_PARTS[country]

    @staticmethod
    def values_of(customer: Customer, numbers: list[str], country: str) -> dict[str, Any]:
        area = customer.area
        return {
            "name": customer.name,
            "phones": "\n".join(_typed(number, country) for number in numbers),
            "email": customer.email,
            "address": customer.address,
            "language": customer.language,
            "area": area.name if area else "",
            "district": area.district if area else "",
            "upazila": area.upazila if area else "",
        }

    def numbers(self) -> list[str]:
        lines = self.cleaned_data["phones"].replace(",", "\n").splitlines()
        return [line.strip() for line in lines if line.strip()]


def _typed(number: str, country: str) -> str:
    """A number as it is typed there, if typed so it is read as the same one."""
    there = phone.local(number)
    try:
        return there if phone.normalise(there, country) == number else number
    except DomainError:
        return number


class LineForm(forms.Form):
    """A new customer with a line. Choices are read when the form is made, for the tenant of the request."""

    marks_optional = True
    name = forms.CharField(label=_("Name"), max_length=120)
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("Messages go there, and the customer signs in with it."),
    )
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    package = forms.ChoiceField(label=_("Package"))
    router = forms.ChoiceField(label=_("Router"))
    username = forms.CharField(
        label=_("PPPoE user name"),
        max_length=60,
        required=False,
        help_text=_("Leave empty to use the customer's code."),
    )
    password = forms.CharField(
        label=_("PPPoE password"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Leave empty and one is made and shown to you once."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["package"].choices = [
            (str(row.id), f"{row.name} · {money(row.price, currency)}") for row in packages_on_sale()
        ]
        fields["router"].choices = [(str(one), name) for one, name in routers_all().values_list("id", "name")]

    @property
    def lacks(self) -> str:
        """What must be there before a line can be opened: ``package``, ``router`` or nothing."""
        fields: Any = self.fields
        return next((name for name in ("package", "router") if not fields[name].choices), "")

    def ids(self) -> tuple[UUID, UUID]:
        return UUID(self.cleaned_data["package"]), UUID(self.cleaned_data["router"])


class GiftForm(forms.Form):
    """Days given for nothing."""

    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=90, initial=1)
    reason = forms.CharField(label=_("Why"), max_length=160)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class NoteForm(forms.Form):
    text = forms.CharField(label=_("Note"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 3}))
    is_pinned = forms.BooleanField(
        label=_("Keep on top"), required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )


class DocumentForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, JPEG, PNG or WebP, 5 MB at most."),
        widget=forms.ClearableFileInput(
            attrs={"accept": "application/pdf,image/jpeg,image/png,image/webp", "class": "form-control"}
        ),
    )


class ViewForm(forms.Form):
    """A question that is kept under a name."""

    name = forms.CharField(label=_("Name of this view"), max_length=40)
    query = forms.CharField(required=False, max_length=1_000, widget=forms.HiddenInput)
    is_shared = forms.BooleanField(
        label=_("For everybody here"), required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )
