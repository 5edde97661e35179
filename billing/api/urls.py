from django.urls import path

from billing.api import views

app_name = "api_billing"
urlpatterns = [
    path("billing/transactions", views.Transactions.as_view(), name="transactions"),
    path("billing/invoices", views.Invoices.as_view(), name="invoices"),
    path("billing/revenue", views.Revenue.as_view(), name="revenue"),
]
