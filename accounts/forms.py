"""What staff type about themselves and each other."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, ResetPasswordForm
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.services import letter_limits, tries_take
from ispbilling.kernel import audit
from ispbilling.kernel.errors import TooMany


def _in_our_words(email: forms.Field, *others: forms.Field) -> None:
    """A field is called as everywhere else, once, above its box."""
    email.label = _("E-mail")
    for field in (email, *others):
        field.widget.attrs.pop("placeholder", None)


class DoorForm(LoginForm):  # type: ignore[misc]
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _in_our_words(self.fields["login"], self.fields["password"])


class ForgottenForm(ResetPasswordForm):  # type: ignore[misc]
    """Asks for a letter, so often and no oftener, whether or not anybody has that address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _in_our_words(self.fields["email"])

    def clean_email(self) -> str:
        typed: str = super().clean_email()
        try:
            tries_take(limits=letter_limits(name=typed, address=audit.source_address.get()))
        except TooMany as error:
            raise forms.ValidationError(error.message) from None
        return typed


class CodeForm(forms.Form):
    """A code of the app, or one of the recovery codes."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "autofocus": True}),
    )


class PasswordForm(forms.Form):
    """The password again, before what hurts. Wrong ones are counted as at the door."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        typed: str = self.cleaned_data["password"]
        user: Any = self.request.user
        found = get_adapter(self.request).authenticate(self.request, email=user.email, password=typed)
        if found is None or found.pk != user.pk:
            raise forms.ValidationError(_("That is not your password."))
        return ""


class LooksForm(forms.Form):
    """How a person likes his pages, and what he is called."""

    name = forms.CharField(label=_("Your name"), max_length=120, required=False)
    theme = forms.ChoiceField(
        label=_("Colours"),
        required=False,
        choices=[("", _("As on this device")), ("dark", _("Dark")), ("light", _("Light"))],
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As in my browser")), *settings.LANGUAGE_OWN_NAMES.items()]
    )
    density = forms.ChoiceField(
        label=_("Tables"), required=False, choices=[("", _("Comfortable")), ("compact", _("Compact"))]
    )
    shortcuts = forms.ChoiceField(
        label=_("Single-key shortcuts"),
        required=False,
        choices=[("", pgettext_lazy("shortcuts", "On")), ("off", pgettext_lazy("shortcuts", "Off"))],
        help_text=_(
            "For example / for search, or g then c for customers. Switch them off if you dictate or often press keys by"
            " accident."
        ),
    )


class NewPasswordForm(PasswordForm):
    """Another password, typed twice, and the present one."""

    new = forms.CharField(
        label=_("New password"),
        max_length=128,
        strip=False,
        help_text=_("At least 10 characters. A few words that only you would put together are best."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Present password")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("new") and given.get("again") and given["new"] != given["again"]:
            self.add_error("again", _("The two are not the same."))
        return given


class RoleForm(forms.Form):
    """One of the roles that may be given."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["role"]
        field.choices = roles


class InviteForm(RoleForm):
    """Whom to ask, and for what. No role is chosen beforehand, so that none is given unawares."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    field_order = ("email", "role")

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, roles=[("", str(_("Choose a role"))), *roles], **kwargs)


class KnownForm(forms.Form):
    """The password of the account one has already."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class JoinForm(forms.Form):
    """A new account."""

    name = forms.CharField(label=_("Your name"), max_length=120)
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        help_text=_("At least 10 characters. A few words that only you would put together are best."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class BusinessForm(forms.Form):
    """What the business says of itself. Choices are read when the form is made."""

    name = forms.CharField(label=_("Name of the business"), max_length=120)
    support_phone = forms.CharField(
        label=_("Support phone"),
        max_length=30,
        required=False,
        help_text=_(
            "Customers see it on invoices, receipts and their own pages. Warnings go there too, for example when"
            " cutting has stopped."
        ),
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Printed on invoices and receipts."),
    )
    tax_number = forms.CharField(
        label=_("Tax number"),
        max_length=40,
        required=False,
        help_text=_("Your PIN, BIN or other number. Printed on invoices."),
    )
    invoice_footer = forms.CharField(
        label=_("Text at the foot of an invoice"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For example how to pay, or a word of thanks."),
    )
    zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Days and periods end at midnight in this time zone."))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("For messages to customers who have not chosen a language."),
    )
    sure = forms.BooleanField(
        label=_("Yes, days begin and end by the new zone"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(
            name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV"))
        )
        field: Any = self.fields["zone"]
        field.choices = [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zones)]


class BrandForm(forms.Form):
    """Colour and logo."""

    brand_color = forms.RegexField(
        r"^#[0-9a-fA-F]{6}$",
        label=_("Colour"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "#1d5fd1", "size": 9, "spellcheck": "false"}),
        error_messages={"invalid": _("A colour looks like #1d5fd1.")},
        help_text=_(
            "For buttons and invoices. A light colour is made darker so that white text can be read. Leave it empty"
            " for the standard blue."
        ),
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 200 kB."),
    )
    logo_remove = forms.BooleanField(
        label=_("Go without a logo"), required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )
