"""Where allauth's log-in stops until the second factor was shown. Loaded by allauth when somebody signs in."""

from __future__ import annotations

from typing import Any

from allauth.account.stages import LoginStage, LoginStageController
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.assurance import has_device


class SecondFactorStage(LoginStage):  # type: ignore[misc]
    """Until the code is shown nobody is signed in, whatever the way in."""

    key = "second_factor"
    urlname = "account_second_factor"

    def handle(self) -> tuple[HttpResponse | None, Any]:
        return (redirect(self.urlname), True) if has_device(self.login.user) else (None, True)


def pending(request: HttpRequest) -> LoginStage | None:
    """The log-in that waits for its second factor in this session."""
    return LoginStageController.enter(request, SecondFactorStage.key)
