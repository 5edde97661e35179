from django.urls import path

from billing import cash_views, policy_views, suspense_views, views

app_name = "billing"
urlpatterns = [
    path("customers/<uuid:customer_id>/money/", views.customer_panel, name="customer_panel"),
    path("customers/<uuid:customer_id>/hold/", views.customer_hold, name="customer_hold"),
    path("settings/suspension/", policy_views.policy, name="policy"),
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
