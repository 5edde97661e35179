"""What staff type on pages that span apps."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.apps import apps
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant, User
from accounts.selectors import members_all
from accounts.services import actor_of
from ispbilling.kernel.models import TenantModel


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")
    bounds = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
    return forms.DateField(label=label, required=False, widget=widget, validators=bounds)


class AuditForm(forms.Form):
    """Which entries of the audit are wanted. Days are the tenant's."""

    actor = forms.ChoiceField(label=_("Who"), required=False)
    verb = forms.CharField(
        label=_("What"), required=False, max_length=80, help_text=_("The whole name or its beginning, such as staff.")
    )
    row_type = forms.ChoiceField(label=_("Kind of record"), required=False)
    row_id = forms.CharField(label=_("Id of the record"), required=False, max_length=80)
    since = _day(_("From"))
    until = _day(_("To"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(actor_of(row.user_id), str(row.user)) for row in members_all()]
        kinds = [("system:", _("The system")), ("customer:", _("Customers"))]
        self.fields["actor"].choices = [("", _("Anybody")), *kinds, *people]  # type: ignore[attr-defined]
        written = [model for model in apps.get_models() if _is_written_down(model)]
        types = sorted((str(one._meta.verbose_name).capitalize(), one._meta.label_lower) for one in written)
        self.fields["row_type"].choices = [("", _("All")), *((value, label) for label, value in types)]  # type: ignore[attr-defined]


def _is_written_down(model: type[Model]) -> bool:
    """Whether rows of this kind may stand in an audit: tenants, their people, and all that is a tenant's."""
    return issubclass(model, TenantModel | Tenant | User) and not model._meta.abstract
