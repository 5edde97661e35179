"""allauth as we use it: staff are invited, nobody signs up by himself, and tries are counted where all are."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.services import guess_limits, tries_give_back, tries_take
from ispbilling.kernel.errors import TooMany
from ispbilling.kernel.middleware import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return [*super().get_login_stages(), "accounts.stages.SecondFactorStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Whoever types a password of staff, at whatever page. Raises ValidationError when he must wait.

        What axes counts of one name from one address does not see many addresses, and allauth counts in Redis.
        """
        limits = guess_limits(name=str(credentials.get("email", "")), address=client_address(request))
        try:
            tries_take(limits=limits[1:])
        except TooMany as error:
            raise ValidationError(error.message) from None
        found = super().authenticate(request, **credentials)
        if found is not None:
            tries_give_back(limits=limits)
        return found
