from django.urls import path

from dashboard.api import customers

app_name = "api"
urlpatterns = [
    path("customers/<uuid:customer_id>/why", customers.why, name="customer_why"),
]
