from django.urls import path

from payments import gateway_views, views

app_name = "payments"
urlpatterns = [
    path("payments/", views.payments, name="payments"),
    path("payments/export/", views.payments_export, name="payments_export"),
    path("payments/<uuid:payment_id>/", views.payment, name="payment"),
    path("payments/<uuid:payment_id>/ask/", views.payment_ask, name="payment_ask"),
    path("settings/gateways/", gateway_views.gateways, name="gateways"),
    path("settings/gateways/new/", gateway_views.gateway_add, name="gateway_add"),
    path("settings/gateways/<uuid:provideraccount_id>/", gateway_views.gateway, name="gateway"),
    path("settings/gateways/<uuid:provideraccount_id>/test/", gateway_views.gateway_test, name="gateway_test"),
]
