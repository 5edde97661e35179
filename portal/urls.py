from django.urls import path

from portal import live_views
from portal.views import entrance, home, invoices, payments, profile, pwa, recharge, sessions, sign_up

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", entrance.sign_in, name="sign_in"),
    path("sign-in/code/", entrance.sign_in_code, name="sign_in_code"),
    path("sign-in/password/", entrance.sign_in_password, name="sign_in_password"),
    path("sign-out/", entrance.sign_out, name="sign_out"),
    path("switch/", entrance.switch, name="switch"),
    path("sign-up/", sign_up.sign_up, name="sign_up"),
    path("sign-up/code/", sign_up.sign_up_code, name="sign_up_code"),
    path("sign-up/details/", sign_up.sign_up_details, name="sign_up_details"),
    path("sign-up/sent/", sign_up.sign_up_sent, name="sign_up_sent"),
    path("welcome/", sign_up.welcome, name="welcome"),
    path("live/", live_views.words, name="live"),
    path("pay/", home.pay, name="pay"),
    path("neighbour/", recharge.neighbour, name="neighbour"),
    path("neighbour/pay/", recharge.neighbour_pay, name="neighbour_pay"),
    path("top-up/", recharge.top_up, name="top_up"),
    path("payments/", payments.payment_list, name="payments"),
    path("payments/<uuid:payment_id>/", payments.payment, name="payment"),
    path("payments/<uuid:payment_id>/status/", payments.payment_status, name="payment_status"),
    path("payments/<uuid:payment_id>/again/", recharge.retry, name="payment_retry"),
    path("receipts/<uuid:receipt_id>/", payments.receipt, name="receipt"),
    path("invoices/", invoices.invoice_list, name="invoices"),
    path("invoices/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("sessions/", sessions.session_list, name="sessions"),
    path("profile/", profile.profile, name="profile"),
    path("profile/line/", profile.line, name="line"),
    path("profile/line/confirm/", profile.confirm, {"after": "portal:line"}, name="line_confirm"),
    path("profile/telephones/", profile.telephones, name="telephones"),
    path("profile/telephones/confirm/", profile.confirm, {"after": "portal:telephones"}, name="telephones_confirm"),
    path("profile/telephones/code/", profile.telephone_code, name="telephone_code"),
    path("profile/telephones/change/", profile.telephone_change, name="telephone_change"),
    path("profile/sign-ins/end/", profile.sign_ins_end, name="sign_ins_end"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("sw.js", pwa.worker, name="worker"),
    path("offline/", pwa.offline, name="offline"),
]
