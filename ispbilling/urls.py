"""Every app's addresses, named as text."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from ispbilling.kernel import access, probes

urlpatterns = [
    path(
        "",
        access.public("sends visitors to the customers' door")(RedirectView.as_view(url="/client/")),
        name="root",
    ),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("", include("accounts.brand_urls")),
    path("account/", include("accounts.urls")),
    path("dashboard/", include("dashboard.urls")),
    path("dashboard/", include("accounts.staff_urls")),
    path("dashboard/", include("packages.urls")),
    path("dashboard/", include("billing.urls")),
    path("dashboard/", include("payments.urls")),
    path("dashboard/", include("network.urls")),
    path("dashboard/", include("sms.urls")),
    path("dashboard/", include("portal.staff_urls")),
    path("client/", include("portal.urls")),
    path("hooks/p/", include("payments.hook_urls")),
    path("hooks/m/", include("sms.hook_urls")),
    path("api/webhooks/", include("payments.alias_urls")),
    path("api/", include("accounts.api.urls")),
    path("api/", include("packages.api.urls")),
    path("api/", include("billing.api.urls")),
    path("api/", include("portal.api.urls")),
    path("api/", include("dashboard.api.urls")),
]
handler404 = "dashboard.errors.not_found"
handler403 = "dashboard.errors.forbidden"
handler500 = "dashboard.errors.server_error"
