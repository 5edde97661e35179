from django.urls import path

from billing import cash_views, invoice_views, policy_views, price_views, subscription_views, suspense_views, views

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
    path("customers/<uuid:customer_id>/cash/", cash_views.cash, name="cash"),
    path("suspense/", suspense_views.waiting, name="suspense"),
    path("suspense/<uuid:statementline_id>/", suspense_views.statement_line, name="statement_line"),
    path("receipts/", suspense_views.receipts, name="receipts"),
    path("receipts/<uuid:receipt_id>/", suspense_views.receipt, name="receipt"),
    path("receipts/<uuid:receipt_id>/owner/", suspense_views.receipt_owner, name="receipt_owner"),
    path("receipts/<uuid:receipt_id>/return/", suspense_views.receipt_return, name="receipt_return"),
    path("payments/<uuid:payment_id>/money/", suspense_views.payment_panel, name="payment_panel"),
]
