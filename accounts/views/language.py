"""The language of the pages before anybody is known, and of customers' pages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.views.ways import way_back
from ispbilling.kernel import access

YEAR_S = 31_536_000


@require_POST
@access.public("whoever cannot read a page must be able to change its language")
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie and go back to where one was."""
    wanted = request.POST.get("language", "")
    if wanted not in settings.LANGUAGE_OWN_NAMES:
        return HttpResponseBadRequest()
    answer = redirect(way_back(request, "/"))
    answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, wanted, max_age=YEAR_S, samesite="Lax")
    return answer
