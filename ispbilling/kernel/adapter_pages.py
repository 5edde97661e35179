"""The pages of accounts with outside systems: taken into use, and one account with its settings and its switch.

What differs between kinds stands in ``AccountPages``: names of addresses and templates, the services, and the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ispbilling.kernel.adapter_forms import AccountForm
from ispbilling.kernel.errors import DomainError

Words = str | Promise
#: (adapter's name, label, config, actor) → the new row; (row's id, label, config, actor); (row's id, on or off, actor).
Add = Callable[[str, str, Mapping[str, str], str], Any]
Edit = Callable[[Any, str, Mapping[str, str], str], Any]
Switch = Callable[[Any, bool, str], Any]


@dataclass(frozen=True, slots=True)
class AccountPages:
    """``word`` is the field of the adapter's name, ``url`` the address of one account, which takes ``url_argument``."""

    word: str
    url: str
    url_argument: str
    template: str
    template_add: str
    add: Add
    edit: Edit
    switch: Switch
    added: Words
    switched_on: Words
    switched_off: Words

    def page_add(
        self,
        request: HttpRequest,
        *,
        offered: Sequence[tuple[str, Any]],
        actor: str,
        more: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """Which one, then its settings."""
        name = request.POST.get(self.word, "") or request.GET.get(self.word, "")
        adapter = dict(offered).get(name)
        if adapter is None:
            return render(request, self.template_add, {"offered": offered, **(more or {})})
        data = request.POST if request.method == "POST" else None
        form = AccountForm(data, fields=adapter.config, label=adapter.title, kept=None)
        if request.method == "POST" and form.is_valid():
            try:
                made = self.add(name, form.cleaned_data["label"], form.config, actor)
            except DomainError as error:
                self._refused(form, error)
            else:
                messages.success(request, str(self.added))
                return self._to(made)
        context = {"form": form, "adapter": adapter, "name": name}
        return render(request, self.template_add, context, status=422 if form.errors else 200)

    def page(
        self, request: HttpRequest, *, row: Any, adapter: Any, actor: str, more: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """One account. Secrets are written and never read back."""
        action = request.POST.get("action", "") if request.method == "POST" else ""
        if action in ("on", "off"):
            self.switch(row.id, action == "on", actor)
            messages.success(request, str(self.switched_on if action == "on" else self.switched_off))
            return self._to(row)
        data = request.POST if action == "save" else None
        form = AccountForm(data, fields=adapter.config, label=row.label, kept=dict(row.config))
        if action == "save" and form.is_valid():
            try:
                self.edit(row.id, form.cleaned_data["label"], form.config, actor)
            except DomainError as error:
                self._refused(form, error)
            else:
                messages.success(request, _("The settings are kept."))
                return self._to(row)
        context = {"form": form, "account": row, "adapter": adapter, **(more or {})}
        return render(request, self.template, context, status=422 if form.errors else 200)

    def _refused(self, form: AccountForm, error: DomainError) -> None:
        form.add_error("label" if error.code == f"{self.word}.exists" else None, error.message)

    def _to(self, row: Any) -> HttpResponse:
        return redirect(self.url, **{self.url_argument: row.id})
