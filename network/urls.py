from django.urls import path

from network import views

app_name = "network"
urlpatterns = [
    path("routers/", views.routers, name="routers"),
    path("routers/<uuid:router_id>/", views.router, name="router"),
    path("routers/<uuid:router_id>/try/", views.router_try, name="router_try"),
    path("routers/<uuid:router_id>/drift/rule/", views.router_drift_policy, name="router_drift_policy"),
    path("routers/<uuid:router_id>/drift/correct/", views.router_drift_correct, name="router_drift_correct"),
    path("wall/", views.wall, name="wall"),
    path("customers/<uuid:customer_id>/line/", views.customer_panel, name="customer_panel"),
]
