from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("customers/<uuid:customer_id>/money/", views.customer_panel, name="customer_panel"),
    path("customers/<uuid:customer_id>/hold/", views.customer_hold, name="customer_hold"),
    path("cuts/", views.cuts, name="cuts"),
    path("cuts/<uuid:stop_id>/release/", views.cuts_release, name="cuts_release"),
]
