"""What messages say: each kind in each language, in the tenant's own words or in the built-in ones."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError, NotFound
from sms import selectors, services
from sms.forms import WordingForm
from sms.wording import FIELDS, WORDINGS, text_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("messages:wordings")
def wordings(request: HttpRequest) -> HttpResponse:
    """Every kind of message, and one of them to be changed: tried, kept, or put back."""
    code = request.GET.get("kind", next(iter(WORDINGS)))
    language = request.GET.get("language", request.tenant.language)  # type: ignore[attr-defined]
    if code not in WORDINGS or language not in dict(settings.LANGUAGES):
        raise NotFound("wording.unknown", _("There is no such message."))
    here = f"{reverse('sms:wordings')}?{urlencode({'kind': code, 'language': language})}"
    action = request.POST.get("action", "") if request.method == "POST" else ""
    actor = actor_of(request.user.id)  # type: ignore[arg-type]
    if action == "reset":
        services.wording_reset(code=code, language=language, actor=actor)
        messages.success(request, _("The message has its built-in words again."))
        return redirect(here)
    owned = selectors.wordings_own()
    kept = owned.get((code, language), text_of(code, language))
    form = WordingForm(request.POST if action else None, initial={"body": kept})
    if action == "save" and form.is_valid():
        try:
            services.wording_set(code=code, language=language, body=form.cleaned_data["body"], actor=actor)
        except DomainError as error:
            form.add_error("body", error.message)
        else:
            messages.success(request, _("The words are kept."))
            return redirect(here)
    typed = form.data.get("body", "") if action else kept
    context = {
        "form": form,
        "here": here,
        "code": code,
        "wording": WORDINGS[code],
        "language": language,
        "languages": settings.LANGUAGES,
        "is_own": (code, language) in owned,
        "kinds": [(one, wording.sentence, (one, language) in owned) for one, wording in WORDINGS.items()],
        "fields": [
            (name, told, request.tenant.name if name == "isp" else example)  # type: ignore[attr-defined]
            for name, (told, example) in FIELDS.items()
            if name in WORDINGS[code].fields
        ],
        "preview": selectors.preview_of_wording(typed, request.tenant.name),  # type: ignore[attr-defined]
    }
    if action == "preview" and request.headers.get("HX-Request"):
        return render(request, "sms/_preview.html", context)
    return render(request, "sms/wordings.html", context, status=422 if form.errors else 200)
