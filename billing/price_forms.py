"""What staff type about taxes and discounts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing.models import BillingPolicy, RechargeOption, TaxMode
from billing.services.policy import RECHARGE_OPTIONS


class PricesForm(forms.Form):
    """The tenant's tax, and its discounts by periods. A length without a number is not offered."""

    tax_mode = forms.ChoiceField(
        label=_("Tax"),
        choices=[
            (TaxMode.NONE, _("No tax")),
            (TaxMode.CONTAINED, _("Included in package prices")),
            (TaxMode.ON_TOP, _("Added to package prices")),
        ],
        help_text=_("Customers always see prices with tax, and pay the price they were shown."),
    )
    tax_name = forms.CharField(label=_("Name of the tax on invoices"), max_length=20)
    tax_percent = forms.DecimalField(
        label=_("Tax rate (%)"), min_value=Decimal(0), max_value=Decimal("99.99"), decimal_places=2
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for periods in RECHARGE_OPTIONS:
            self.fields[f"off_{periods}"] = forms.DecimalField(
                label=ngettext("Discount for %(n)d period (%%)", "Discount for %(n)d periods (%%)", periods)
                % {"n": periods},
                required=False,
                min_value=Decimal(0),
                max_value=Decimal(100),
                decimal_places=2,
            )

    @staticmethod
    def values_of(policy: BillingPolicy, options: Iterable[RechargeOption]) -> dict[str, Any]:
        """The rules as this form shows them."""
        rules = {name: getattr(policy, name) for name in ("tax_mode", "tax_name", "tax_percent")}
        return {**rules, **{f"off_{option.periods}": option.discount_percent for option in options}}

    @property
    def discount_fields(self) -> list[Any]:
        return [self[f"off_{periods}"] for periods in RECHARGE_OPTIONS]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and all(data.get(f"off_{periods}") is None for periods in RECHARGE_OPTIONS):
            self.add_error("off_1", _("At least one length must be offered: 0 is no discount."))
        return data

    def rules(self) -> dict[str, Any]:
        """What ``policy_set`` takes."""
        return {name: self.cleaned_data[name] for name in ("tax_mode", "tax_name", "tax_percent")}

    def percents(self) -> dict[int, Decimal]:
        """What ``recharge_options_set`` takes."""
        typed = {periods: self.cleaned_data[f"off_{periods}"] for periods in RECHARGE_OPTIONS}
        return {periods: percent for periods, percent in typed.items() if percent is not None}
