"""The code after the password, and where a person switches his second factor on and off."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import django_otp
import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import assurance, selectors, services, stages
from accounts.forms import CodeForm, PasswordForm
from accounts.models import TotpDevice
from accounts.services.second_factor import Check
from accounts.views.ways import way_back
from ispbilling.kernel import access, clock, clockwatch


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.public("asks for the code after the password, before anybody is signed in")
def challenge(request: HttpRequest) -> HttpResponse:
    """The second factor: at the end of a log-in, or in a session that is older than the factor."""
    stage = stages.pending(request)
    user: Any = stage.login.user if stage else request.user
    if not user.is_authenticated or not assurance.has_device(user):
        return redirect("account_login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        check = services.second_factor_check(user=user, code=form.cleaned_data["code"])
        if check in (Check.RIGHT, Check.RECOVERY):
            answer = stage.exit() if stage else redirect(way_back(request, "/dashboard/"))
            django_otp.login(request, selectors.device_of(user))
            if check is Check.RECOVERY:
                left = selectors.recovery_codes_left(user)
                messages.warning(request, _("That recovery code is used up. You have %(n)d left.") % {"n": left})
            return answer
        if check is Check.TOO_SOON:
            form.add_error("code", _("Too many wrong codes. Wait a little, then try a new one."))
        else:
            form.add_error("code", _("That code is wrong, too old, or was used before."))
    context = {"form": form, "next": way_back(request, "/dashboard/"), "clock": clock_doubt()}
    return render(request, "accounts/challenge.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("account:own")
def own(request: HttpRequest) -> HttpResponse:
    """A person's own second factor: none, begun, or switched on."""
    action = request.POST.get("action", "") if request.method == "POST" else ""
    user: Any = request.user
    device = selectors.device_of(user)
    if action == "begin":
        services.second_factor_begin(user=user)
        return redirect("accounts:second_factor")
    if action == "confirm" and device is not None and not device.confirmed:
        return _confirm(request, device)
    if action in ("codes", "off") and device is not None and device.confirmed:
        return _change(request, device, action)
    return _own_page(request, device)


def _confirm(request: HttpRequest, device: TotpDevice) -> HttpResponse:
    user: Any = request.user
    form = CodeForm(request.POST)
    if form.is_valid():
        code = form.cleaned_data["code"]
        codes = services.second_factor_confirm(user=user, code=code, actor=services.actor_of(user.id))
        if codes is not None:
            django_otp.login(request, selectors.device_of(user))
            return _codes_page(request, codes)
        form.add_error("code", _("That is not the code of now. Wait for the next one and type that."))
    return _own_page(request, device, code_form=form, status=422)


def _change(request: HttpRequest, device: TotpDevice, action: str) -> HttpResponse:
    user: Any = request.user
    form = PasswordForm(request.POST, request=request, auto_id=f"{action}_%s")
    if not form.is_valid():
        return _own_page(request, device, **{f"{action}_form": form}, status=422)
    if action == "codes":
        return _codes_page(request, services.recovery_codes_renew(user=user, actor=services.actor_of(user.id)))
    services.second_factor_end(user=user, actor=services.actor_of(user.id))
    messages.success(request, _("The second factor is switched off."))
    return redirect("accounts:second_factor")


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


def _own_page(request: HttpRequest, device: TotpDevice | None, *, status: int = 200, **forms: Any) -> HttpResponse:
    is_on = device is not None and device.confirmed
    context = {
        "device": device,
        "is_on": is_on,
        "is_demanded": assurance.is_demanded(request.membership.role),  # type: ignore[attr-defined]
        "codes_left": selectors.recovery_codes_left(request.user) if is_on else 0,  # type: ignore[arg-type]
        "clock": clock_doubt(),
        "code_form": CodeForm(),
        "codes_form": PasswordForm(request=request, auto_id="codes_%s"),
        "off_form": PasswordForm(request=request, auto_id="off_%s"),
        **forms,
    }
    if device is not None and not is_on:
        context["qr"] = _picture(request, device)
        context["secret"] = " ".join(device.secret[at : at + 4] for at in range(0, len(device.secret), 4))
    return render(request, "accounts/second_factor.html", context, status=status)


def _picture(request: HttpRequest, device: TotpDevice) -> SafeString:
    """What an app reads the secret from: an SVG without a style, drawn here. The name is the provider's."""
    issuer = request.tenant.name.replace(":", " ")  # type: ignore[attr-defined]
    name = quote(f"{issuer}:{device.user.email}")
    query = urlencode({"secret": device.secret, "issuer": issuer, "digits": device.DIGITS, "period": device.STEP_S})
    drawn = segno.make(f"otpauth://totp/{name}?{query}", error="m")
    text = drawn.svg_inline(border=4, light="#fff", dark="#000", omitsize=True, svgclass="qr", lineclass=None)
    return mark_safe(text)  # made of squares; what it says is not in its text


def clock_doubt() -> dict[str, Any] | None:
    """What to say when this machine's clock may be wrong: no code is right then."""
    verdict = clockwatch.peek()
    if verdict.state in (clockwatch.State.RIGHT, clockwatch.State.UNSYNCHRONISED):
        return None
    return {"now": clock.machine_now()}
