"""What lets a telephone install the portal: its manifest, its worker, and the page for when there is no network.

The worker keeps the shell (style, script, icons) and the offline page, never a page that shows anything of anybody.
"""

from __future__ import annotations

import hashlib
import json

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from ispbilling.kernel import access
from portal import auth

#: Of tokens.css: what the frame of the installed portal is coloured with before its first page is there.
CANVAS = "#0a1120"
SHELL = (
    "vendor/bootstrap/bootstrap.min.css",
    "css/tokens.css",
    "css/base.css",
    "css/forms.css",
    "css/tables.css",
    "css/overlays.css",
    "css/pages.css",
    "css/client.css",
    "js/client.js",
    "js/live.js",
    "img/icons.svg",
    "img/favicon.svg",
)


@cache_control(max_age=3600)
@require_safe
@access.public("a browser asks for it before anybody has signed in")
def manifest(request: HttpRequest) -> HttpResponseBase:
    """The portal as an app of the tenant's."""
    tenant = getattr(request, "tenant", None)
    if tenant is None:
        return auth.no_tenant(request)
    home = reverse("portal:home")
    sizes = {"192x192": "img/portal-192.png", "512x512": "img/portal-512.png"}
    body = {
        "name": tenant.name,
        "short_name": tenant.name[:12].strip(),
        "id": home,
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "lang": tenant.language,
        "background_color": CANVAS,
        "theme_color": tenant.brand_color or CANVAS,
        "icons": [
            {"src": static(path), "sizes": size, "type": "image/png", "purpose": "any maskable"}
            for size, path in sizes.items()
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@cache_control(no_cache=True)
@require_safe
@access.public("a browser asks for it before anybody has signed in")
def worker(request: HttpRequest) -> HttpResponseBase:
    """The service worker, with the names of this release's files in it: another release is another worker."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    offline = reverse("portal:offline")
    shell = [static(path) for path in SHELL]
    code = _source()
    version = hashlib.sha256(json.dumps([code, offline, shell]).encode()).hexdigest()[:12]
    head = f"const VERSION = {json.dumps(version)};\nconst OFFLINE = {json.dumps(offline)};\n"
    text = f"{head}const SHELL = {json.dumps(shell)};\n{code}"
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


def _source() -> str:
    found = finders.find("js/portal_worker.js")
    if not isinstance(found, str):
        raise FileNotFoundError("static/js/portal_worker.js")
    with open(found, encoding="utf-8") as file:
        return file.read()


@require_safe
@access.public("is kept by browsers and shows nothing of anybody")
def offline(request: HttpRequest) -> HttpResponseBase:
    """What an installed portal shows without a network."""
    if getattr(request, "tenant", None) is None:
        return auth.no_tenant(request)
    return render(request, "portal/offline.html")
