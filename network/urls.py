from django.urls import path

from network import router_views, session_views, views

app_name = "network"
urlpatterns = [
    path("routers/", views.routers, name="routers"),
    path("routers/new/", router_views.router_new, name="router_new"),
    path("routers/<uuid:router_id>/", views.router, name="router"),
    path("routers/<uuid:router_id>/edit/", router_views.router_edit, name="router_edit"),
    path("routers/<uuid:router_id>/switch/", router_views.router_switch, name="router_switch"),
    path("routers/<uuid:router_id>/try/", views.router_try, name="router_try"),
    path("routers/<uuid:router_id>/drift/rule/", views.router_drift_policy, name="router_drift_policy"),
    path("routers/<uuid:router_id>/drift/correct/", views.router_drift_correct, name="router_drift_correct"),
    path("sessions/", session_views.sessions, name="sessions"),
    path("sessions/ended/", session_views.sessions_ended, name="sessions_ended"),
    path("sessions/<uuid:session_id>/end/", session_views.session_end, name="session_end"),
    path("wall/", views.wall, name="wall"),
    path("customers/<uuid:customer_id>/line/", views.customer_panel, name="customer_panel"),
    path("lines/<uuid:line_id>/ask/", session_views.line_ask, name="line_ask"),
]
