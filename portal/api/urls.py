from django.urls import path

from portal.api import client, client_money, doors

app_name = "api_portal"
urlpatterns = [
    path("auth/login", doors.SignIn.as_view(), name="login"),
    path("auth/code", doors.Code.as_view(), name="code"),
    path("auth/register", doors.Register.as_view(), name="register"),
    path("auth/refresh", doors.Refresh.as_view(), name="refresh"),
    path("auth/logout", doors.SignOut.as_view(), name="logout"),
    path("client/packages", client.Packages.as_view(), name="packages"),
    path("client/subscriptions", client.Subscriptions.as_view(), name="subscriptions"),
    path("client/invoices", client.Invoices.as_view(), name="invoices"),
    path("client/profile", client.ProfileOne.as_view(), name="profile"),
    path("client/usage", client.UsageOne.as_view(), name="usage"),
    path("client/recharge-options", client_money.RechargeOptions.as_view(), name="recharge_options"),
    path("client/recharge-preview", client_money.RechargePreview.as_view(), name="recharge_preview"),
    path("client/recharges", client_money.Recharges.as_view(), name="recharges"),
    path("client/bills", client_money.Bills.as_view(), name="bills"),
    path("client/bills/statistics", client_money.BillStatistics.as_view(), name="bill_statistics"),
    path("client/gateways", client_money.Gateways.as_view(), name="gateways"),
    path("client/payments", client_money.Payments.as_view(), name="payments"),
    path("client/payments/<uuid:payment_id>", client_money.PaymentOne.as_view(), name="payment"),
]
