from django.urls import path

from dashboard import audit_views, home_views, live_views, shell_views, views

app_name = "dashboard"
urlpatterns = [
    path("", home_views.home, name="home"),
    path("home/revenue/", home_views.revenue, name="home_revenue"),
    path("home/sessions/", home_views.sessions, name="home_sessions"),
    path("home/due/", home_views.due, name="home_due"),
    path("home/alerts/", home_views.alerts, name="home_alerts"),
    path("home/cuts/", home_views.cuts, name="home_cuts"),
    path("home/waits/", home_views.waits, name="home_waits"),
    path("customers/", views.customers, name="customers"),
    path("customers/new/", views.line_add, name="line_add"),
    path("customers/<uuid:customer_id>/", views.customer, name="customer"),
    path("customers/<uuid:customer_id>/why/", views.customer_why, name="customer_why"),
    path("palette/", shell_views.palette, name="palette"),
    path("styleguide/", shell_views.styleguide, name="styleguide"),
    path("live/", live_views.words, name="live"),
    path("health/", views.health, name="health"),
    path("audit/", audit_views.browse, name="audit"),
    path("audit/export/", audit_views.export, name="audit_export"),
    path("events/", views.events, name="events"),
    path("events/<uuid:event_id>/retry/", views.event_retry, name="event_retry"),
]
