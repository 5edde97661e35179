from django.conf import settings
from django.urls import path

from dashboard import audit_views, live_views, views
from dashboard.demo import banner

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("customers/", views.customers, name="customers"),
    path("customers/new/", views.line_add, name="line_add"),
    path("customers/<uuid:customer_id>/", views.customer, name="customer"),
    path("customers/<uuid:customer_id>/why/", views.customer_why, name="customer_why"),
    path("live/", live_views.words, name="live"),
    path("health/", views.health, name="health"),
    path("audit/", audit_views.browse, name="audit"),
    path("audit/export/", audit_views.export, name="audit_export"),
    path("events/", views.events, name="events"),
    path("events/<uuid:event_id>/retry/", views.event_retry, name="event_retry"),
]
if settings.CLOCK_MAY_MOVE:  # the demo's own
    urlpatterns += [path("demo/progress/", banner.progress, name="demo_progress")]
