from django.urls import path

from billing import invoice_views, policy_views, price_views, subscription_views, views

app_name = "billing"
urlpatterns = [
    path("customers/<uuid:customer_id>/money/", views.customer_panel, name="customer_panel"),
    path("customers/<uuid:customer_id>/hold/", views.customer_hold, name="customer_hold"),
    path("settings/suspension/", policy_views.policy, name="policy"),
    path("settings/prices/", price_views.prices, name="prices"),
    path("subscriptions/", subscription_views.subscriptions, name="subscriptions"),
    path("subscriptions/<uuid:subscription_id>/", subscription_views.subscription, name="subscription"),
    path(
        "subscriptions/<uuid:subscription_id>/extend/",
        subscription_views.subscription_extend,
        name="subscription_extend",
    ),
    path(
        "subscriptions/<uuid:subscription_id>/expiry/",
        subscription_views.subscription_expiry,
        name="subscription_expiry",
    ),
    path("subscriptions/<uuid:subscription_id>/end/", subscription_views.subscription_end, name="subscription_end"),
    path("subscriptions/<uuid:subscription_id>/stop/", subscription_views.subscription_stop, name="subscription_stop"),
    path(
        "subscriptions/<uuid:subscription_id>/package/",
        subscription_views.subscription_package,
        name="subscription_package",
    ),
    path("invoices/", invoice_views.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", invoice_views.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/print/", invoice_views.invoice_print, name="invoice_print"),
    path("invoices/<uuid:invoice_id>/file/", invoice_views.invoice_file, name="invoice_file"),
    path("invoices/<uuid:invoice_id>/credit/", invoice_views.invoice_credit, name="invoice_credit"),
    path("receipts/<uuid:receipt_id>/file/", invoice_views.receipt_file, name="receipt_file"),
    path("cuts/", views.cuts, name="cuts"),
    path("cuts/<uuid:stop_id>/release/", views.cuts_release, name="cuts_release"),
]
