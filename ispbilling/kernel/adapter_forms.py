"""The form of an account with an outside system, made from what its adapter says of its settings.

A secret is written only: the page says whether it is set, and an empty field keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from ispbilling.kernel.adapters import ConfigField

_PREFIX = "config_"


class AccountForm(forms.Form):
    """``label`` and the adapter's own settings. ``kept``: the settings as they are; None for a new account."""

    def __init__(
        self, data: Any, *, fields: Mapping[str, ConfigField], label: str, kept: Mapping[str, str] | None
    ) -> None:
        super().__init__(data)
        self.fields["label"] = forms.CharField(label=_("Name"), max_length=60, initial=label)
        for name, entry in fields.items():
            value = (kept or {}).get(name, "" if entry.secret else entry.default)
            self.fields[_PREFIX + name] = _field(entry, value, is_new=kept is None)
        self._config = {_PREFIX + name: (name, entry) for name, entry in fields.items()}

    @property
    def config(self) -> dict[str, str]:
        """What was typed, without the secrets that stay as they are."""
        return {
            name: self.cleaned_data[field]
            for field, (name, entry) in self._config.items()
            if self.cleaned_data[field] or not entry.secret
        }


def _field(entry: ConfigField, value: str, *, is_new: bool) -> forms.CharField:
    is_needed = entry.required and not entry.default
    if not entry.secret:
        return forms.CharField(
            label=_(entry.label), help_text=_(entry.help) if entry.help else "", initial=value, max_length=500,
            required=is_needed,
        )  # fmt: skip
    state = "" if is_new else _("A value is saved. Leave empty to keep it.") if value else _("Not set.")
    return forms.CharField(
        label=_(entry.label),
        help_text=" ".join(part for part in (_(entry.help) if entry.help else "", state) if part),
        max_length=2_000,
        required=is_needed and not value,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


def merged(kept: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """The settings after a change: what was not typed stays."""
    return {**kept, **typed}


def changed_names(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Which settings differ: all that the audit says of them, since most are secrets."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
