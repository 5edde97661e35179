from django.urls import path

from billing import policy_views, views

app_name = "billing"
urlpatterns = [
    path("customers/<uuid:customer_id>/money/", views.customer_panel, name="customer_panel"),
    path("customers/<uuid:customer_id>/hold/", views.customer_hold, name="customer_hold"),
    path("settings/suspension/", policy_views.policy, name="policy"),
    path("cuts/", views.cuts, name="cuts"),
    path("cuts/<uuid:stop_id>/release/", views.cuts_release, name="cuts_release"),
]
