"""What staff type about a package."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from packages.models import Package, PeriodUnit, TaxClass

#: Lengths that a discount can be given for, in periods (the usual ones of the recharge page).
LENGTHS = (1, 2, 3, 6, 12)
_BOX = {"class": "form-check-input"}


class PackageForm(forms.Form):
    """A package as staff think of it: speeds in Mbps, one feature a line. The period of one that exists is fixed."""

    name = forms.CharField(label=_("Name"), max_length=80)
    price = forms.DecimalField(min_value=Decimal(0), max_value=Decimal("9999999999"), decimal_places=2)
    tax_class = forms.ChoiceField(
        label=_("Tax"),
        choices=[(TaxClass.STANDARD, _("Standard tax")), (TaxClass.EXEMPT, _("Free of tax"))],
        help_text=_("Whether the price contains the tax is set for the whole business, under Prices and tax."),
    )
    period_count = forms.IntegerField(label=_("Length"), min_value=1, max_value=1000, initial=1)
    period_unit = forms.ChoiceField(label=_("Unit"), choices=PeriodUnit.choices, initial=PeriodUnit.MONTH)
    download_mbps = forms.DecimalField(
        label=_("Download, in Mbps"), min_value=Decimal("0.064"), max_value=Decimal(100_000), decimal_places=3
    )
    upload_mbps = forms.DecimalField(
        label=_("Upload, in Mbps"), min_value=Decimal("0.064"), max_value=Decimal(100_000), decimal_places=3
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Customers read it when they choose a package."),
    )
    features = forms.CharField(
        label=_("Advantages, one per line"),
        max_length=700,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Customers see them below the description. Eight at most, for example: Free router."),
    )
    sort_order = forms.IntegerField(
        label=_("Place in the list"),
        min_value=0,
        max_value=32_000,
        initial=0,
        help_text=_("Smaller numbers come first."),
    )
    is_featured = forms.BooleanField(
        label=_("Recommended"),
        required=False,
        widget=forms.CheckboxInput(attrs=_BOX),
        help_text=_("Marked as recommended where packages are listed."),
    )
    is_active = forms.BooleanField(
        label=_("On sale"),
        required=False,
        initial=True,
        widget=forms.CheckboxInput(attrs=_BOX),
        help_text=_("Customers who have it keep it and can renew it even when it is not on sale."),
    )
    sure = forms.BooleanField(
        label=_("Yes, they pay the new price from their next period on"),
        required=False,
        widget=forms.CheckboxInput(attrs=_BOX),
    )

    def __init__(self, *args: Any, currency: str, package: Package | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"].label = _("Price of one period, in %(currency)s") % {"currency": currency}
        for length in LENGTHS:
            self.fields[f"discount_{length}"] = forms.DecimalField(
                label=ngettext("Discount for %(n)d period (%%)", "Discount for %(n)d periods (%%)", length)
                % {"n": length},
                required=False,
                min_value=Decimal(0),
                max_value=Decimal(100),
                decimal_places=2,
            )
        if package is not None:
            del self.fields["period_count"], self.fields["period_unit"]

    @staticmethod
    def values_of(package: Package) -> dict[str, Any]:
        """A package as this form shows it."""
        kept = ("name", "price", "tax_class", "description", "sort_order", "is_featured", "is_active")
        return {
            **{name: getattr(package, name) for name in kept},
            "price": package.price.quantize(Decimal("0.01")),
            "download_mbps": _mbps(package.speed_profile.download_kbps),
            "upload_mbps": _mbps(package.speed_profile.upload_kbps),
            "features": "\n".join(package.features),
            **{f"discount_{length}": package.discounts.get(str(length)) for length in LENGTHS},
        }

    @property
    def discount_fields(self) -> list[Any]:
        return [self[f"discount_{length}"] for length in LENGTHS]

    def clean_features(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["features"].splitlines() if line.strip()]
        if len(lines) > 8 or any(len(line) > 80 for line in lines):
            raise forms.ValidationError(_("Eight lines at most, each of 80 characters at most."))
        return lines

    def values(self) -> dict[str, Any]:
        """What ``package_create`` and ``package_edit`` take."""
        data = dict(self.cleaned_data)
        data.pop("sure", None)
        for name in ("download", "upload"):
            data[f"{name}_kbps"] = int(data.pop(f"{name}_mbps") * 1000)
        given = {str(length): data.pop(f"discount_{length}") for length in LENGTHS}
        data["discounts"] = {length: str(percent) for length, percent in given.items() if percent is not None}
        return data


def _mbps(kbps: int) -> Decimal:
    return Decimal(f"{Decimal(kbps) / 1000:f}")
