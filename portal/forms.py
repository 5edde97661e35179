"""What subscribers type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

_TEL = {"inputmode": "tel", "autocomplete": "tel"}


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=_("Your telephone number"), max_length=30, widget=forms.TextInput(attrs={**_TEL, "autofocus": True})
    )


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^\s*[0-9]{6}\s*$",
        label=_("The six digits we sent you"),
        error_messages={"invalid": _("Six digits, as in the message.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip()


class PasswordForm(forms.Form):
    """The name and password his box dials with; his telephone or e-mail address does for the name."""

    name = forms.CharField(
        label=_("User name, e-mail or telephone"),
        max_length=120,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=120,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SignUpForm(forms.Form):
    """Who he is, where the line is to go, and what he takes."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    address = forms.CharField(
        label=_("Where is the house?"),
        max_length=200,
        help_text=_("Area, street, building: so that we find you."),
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    package = forms.ChoiceField(label=_("Choose your internet"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, packages: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].choices = packages  # type: ignore[attr-defined]


class _Paying(forms.Form):
    """The accounts offered are given by the view; anything else is refused."""

    key = forms.CharField(widget=forms.HiddenInput, min_length=16, max_length=60)
    account = forms.ChoiceField(label=_("Pay with"), widget=forms.RadioSelect)
    phone = forms.CharField(label=_("Telephone that pays"), max_length=30, widget=forms.TextInput(attrs=_TEL))

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = accounts  # type: ignore[attr-defined]


class PayForm(_Paying):
    """The lengths offered are given by the view as well."""

    subscription = forms.UUIDField(widget=forms.HiddenInput)
    periods = forms.TypedChoiceField(label=_("How long"), coerce=int, widget=forms.RadioSelect)

    def __init__(self, *args: Any, periods: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["periods"].choices = periods  # type: ignore[attr-defined]


class TopUpForm(_Paying):
    amount = forms.DecimalField(
        min_value=Decimal(0),
        max_digits=9,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autofocus": True}),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].label = _("How much, in %(currency)s") % {"currency": currency}


class NeighbourForm(forms.Form):
    code = forms.CharField(
        label=_("Customer number of the other person"),
        max_length=16,
        help_text=_("It begins with C. They find it in our messages and under “About me”."),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off", "autofocus": True}),
    )


class ProfileForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As my provider")), *settings.LANGUAGES]
    )


class LinePasswordForm(forms.Form):
    line = forms.UUIDField(widget=forms.HiddenInput)
    password = forms.CharField(
        label=_("New password"),
        max_length=120,
        strip=False,
        help_text=_("8 to 40 letters, digits and signs, without spaces. Type the same into your box."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )


class PlanForm(forms.Form):
    """Another package, now or from the next time on; ``seen`` and ``sure`` come back from what was shown."""

    package = forms.ChoiceField(label=_("Choose your internet"), widget=forms.RadioSelect)
    when = forms.ChoiceField(
        label=_("From when"),
        choices=[("next", _("When my time is over")), ("now", _("Now"))],
        widget=forms.RadioSelect,
        initial="next",
    )
    seen = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    sure = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, packages: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].choices = packages  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("when") == "now" and data.get("sure") and not data.get("seen"):
            raise forms.ValidationError(_("Please look at the price first."))
        return data


class PortalSettingsForm(forms.Form):
    """Staff: what people may do by themselves."""

    is_sign_up_open = forms.BooleanField(label=_("People can sign up by themselves"), required=False)
    router = forms.ChoiceField(
        label=_("Router for lines of whoever signs up"),
        required=False,
        help_text=_(
            "With one router it is used by itself. With several, requests wait for you under Requests for a line."
        ),
    )

    def __init__(self, *args: Any, routers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["router"].choices = [("", _("Choose for each request")), *routers]  # type: ignore[attr-defined]


class LeadForm(forms.Form):
    """Staff: where the line of a lead is made."""

    router = forms.ChoiceField(label=_("Router"))

    def __init__(self, *args: Any, routers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["router"].choices = routers  # type: ignore[attr-defined]
