"""A person's own account: looks, password, where he is signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import agents, assurance, selectors, services, signals
from accounts.forms import LooksForm, NewPasswordForm
from accounts.views.ways import way_back
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError

YEAR_S = 31_536_000


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("account:own")
def own(request: HttpRequest) -> HttpResponse:
    """Everything about oneself on one page."""
    action = request.POST.get("action", "") if request.method == "POST" else ""
    doing = {
        "looks": _looks,
        "theme": _theme,
        "language": _language,
        "density": _density,
        "password": _password,
        "end": _end,
        "end_others": _end_others,
    }
    return doing[action](request) if action in doing else _page(request)


def _looks(request: HttpRequest) -> HttpResponse:
    form = LooksForm(request.POST)
    if not form.is_valid():
        return _page(request, looks=form)
    user: Any = request.user
    habits = {name: form.cleaned_data.pop(name) for name in ("density", "shortcuts")}
    services.looks_set(user=user, **form.cleaned_data)
    answer = redirect("accounts:own")
    for cookie, value in habits.items():  # they belong to a screen and a keyboard, not to the person
        _keep(answer, cookie, value)
    _keep(answer, settings.LANGUAGE_COOKIE_NAME, form.cleaned_data["language"])
    _keep(answer, "theme", form.cleaned_data["theme"])
    messages.success(request, _("Your settings are kept."))
    return answer


def _keep(answer: HttpResponse, cookie: str, value: str) -> None:
    """For the pages before signing in, where nobody is known."""
    if value:
        answer.set_cookie(cookie, value, max_age=YEAR_S, samesite="Lax")
    else:
        answer.delete_cookie(cookie)


def _theme(request: HttpRequest) -> HttpResponse:
    """The button of the top bar, which has changed the page already."""
    user: Any = request.user
    theme = request.POST.get("theme", "")
    if theme in ("dark", "light"):
        services.looks_set(user=user, theme=theme, language=user.language)
    answer = redirect(way_back(request, reverse("accounts:own")))
    if theme in ("dark", "light"):
        _keep(answer, "theme", theme)
    return answer


def _density(request: HttpRequest) -> HttpResponse:
    """The switch of the account's menu."""
    answer = redirect(way_back(request, reverse("accounts:own")))
    _keep(answer, "density", "compact" if request.POST.get("density") == "compact" else "")
    return answer


def _language(request: HttpRequest) -> HttpResponse:
    """The menu of the top bar."""
    user: Any = request.user
    wanted = request.POST.get("language", "")
    answer = redirect(way_back(request, reverse("accounts:own")))
    if wanted in settings.LANGUAGE_OWN_NAMES:
        services.looks_set(user=user, theme=user.theme, language=wanted)
        _keep(answer, settings.LANGUAGE_COOKIE_NAME, wanted)
    return answer


def _password(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = NewPasswordForm(request.POST, request=request)
    if form.is_valid():
        try:
            services.password_change(user=user, password=form.cleaned_data["new"], actor=services.actor_of(user.id))
        except DomainError as error:
            form.add_error("new", error.fields["new"])
        else:
            update_session_auth_hash(request, user)
            signals.moved(request=request, user=user)
            messages.success(request, _("Your password is changed. All other sessions are ended."))
            return redirect("accounts:own")
    return _page(request, password=form)


def _end(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    try:
        wanted = UUID(request.POST.get("session", ""))
    except ValueError:
        return redirect("accounts:own")
    services.sign_in_end(user=user, sign_in_id=wanted, actor=services.actor_of(user.id))
    messages.success(request, _("That session is ended."))
    return redirect("accounts:own")


def _end_others(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    count = services.sign_ins_end(user=user, keep=request.session.session_key or "", actor=services.actor_of(user.id))
    said = ngettext("%(n)d other session is ended.", "%(n)d other sessions are ended.", count)
    messages.success(request, said % {"n": count})
    return redirect("accounts:own")


def _page(request: HttpRequest, *, looks: LooksForm | None = None, password: Any = None) -> HttpResponse:
    user: Any = request.user
    rows = [
        (row, agents.device(row.agent), row.session_key == request.session.session_key)
        for row in selectors.sign_ins_of(user)
    ]
    cookies = {name: request.COOKIES.get(name, "") for name in ("density", "shortcuts")}
    initial = {"name": user.name, "theme": user.theme, "language": user.language, **cookies}
    context = {
        "looks": looks or LooksForm(initial=initial),
        "password": password or NewPasswordForm(request=request),
        "sessions": sorted(rows, key=lambda row: not row[2]),
        "is_on": assurance.has_device(user),
    }
    return render(request, "accounts/own.html", context, status=422 if looks or password else 200)
