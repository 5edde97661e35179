"""Pages of the dashboard about the people who work with it."""

from django.urls import path

from accounts.views import own, second_factor

app_name = "accounts"
urlpatterns = [
    path("account/", own.own, name="own"),
    path("account/second-factor/", second_factor.own, name="second_factor"),
]
