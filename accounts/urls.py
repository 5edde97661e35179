"""Staff log-in. Only these pages of allauth are offered; each is named here with the reason it is open."""

from __future__ import annotations

from allauth.account import views
from django.urls import path, register_converter

from accounts.views.join import join
from accounts.views.language import language
from accounts.views.second_factor import challenge
from ispbilling.kernel import access


class _Letters:
    """Letters and digits up to the first hyphen: the key behind it has hyphens of its own."""

    regex = "[0-9A-Za-z]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(_Letters, "letters")

_LOGIN = access.public("this is where one signs in")
_RESET = access.public("whoever forgot the password cannot sign in")
_OWN = access.public("allauth itself asks for the signed-in user")

urlpatterns = [
    path("login/", _LOGIN(views.login), name="account_login"),
    path("invitation/<str:key>/", join, name="account_invitation"),
    path("second-factor/", challenge, name="account_second_factor"),
    path("language/", language, name="account_language"),
    path("logout/", access.public("ends a session, by POST")(views.logout), name="account_logout"),
    path("password/reset/", _RESET(views.password_reset), name="account_reset_password"),
    path("password/reset/done/", _RESET(views.password_reset_done), name="account_reset_password_done"),
    path(
        "password/reset/key/<letters:uidb36>-<str:key>/",
        _RESET(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        _RESET(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path("password/change/", _OWN(views.password_change), name="account_change_password"),
    path("inactive/", access.public("tells a blocked user why")(views.account_inactive), name="account_inactive"),
    path("reauthenticate/", _OWN(views.reauthenticate), name="account_reauthenticate"),
    path("signup/", access.public("says that sign-up is closed")(views.signup), name="account_signup"),
]
