from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [path("customers/<uuid:customer_id>/money/", views.customer_panel, name="customer_panel")]
