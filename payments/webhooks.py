"""The doors gateways knock at. Nothing is decided here: find whose it is, store, answer in the gateway's own form."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ispbilling.kernel import access, tenancy
from ispbilling.kernel.middleware import client_address
from ispbilling.kernel.text import foreign
from payments import selectors, services
from payments.models import PaymentAttempt, ProviderAccount
from payments.providers.base import providers

MAX_BODY = 64_000
_KEPT_HEADERS = ("Content-Type", "User-Agent", "BusinessShortCode")


@csrf_exempt
@require_POST
@access.hook()
def provider_hook(request: HttpRequest, account_token: str, attempt_token: str) -> HttpResponse:
    """A callback with our own tokens in its path."""
    found = selectors.hook_find(account_token, attempt_token)
    if found is None:
        return HttpResponseNotFound()
    account, attempt = found
    return _store(request, account, attempt, has_token=attempt is not None)


@csrf_exempt
@require_POST
@access.public("the address the provider's documents name; believed only after asking the gateway")
def mpesa_alias(request: HttpRequest) -> HttpResponse:
    """STK callbacks at the address without tokens: the reference in the body tells whose it is."""
    body = request.body[: MAX_BODY + 1]
    try:
        reference = foreign(json.loads(body)["Body"]["stkCallback"]["CheckoutRequestID"], 80)
    except (ValueError, KeyError, TypeError, RecursionError):
        return HttpResponse('{"ResultCode":1,"ResultDesc":"Rejected"}', status=400, content_type="application/json")
    attempt = selectors.attempt_of_reference("mpesa", reference)
    if attempt is None:
        ack = '{"ResultCode":0,"ResultDesc":"Accepted"}'
        return HttpResponse(ack, content_type="application/json")
    return _store(request, attempt.account, attempt, has_token=False)


def _store(
    request: HttpRequest, account: ProviderAccount, attempt: PaymentAttempt | None, *, has_token: bool
) -> HttpResponse:
    body = request.body
    if len(body) > MAX_BODY:
        return HttpResponse(status=413)
    with tenancy.tenant_context(account.tenant_key):
        services.payment_event_store(
            account_id=account.id,
            attempt_id=attempt.id if attempt else None,
            has_token=has_token,
            body=body,
            headers={name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers},
            source_address=client_address(request),
        )
    ack = providers.get(account.provider).ack()
    return HttpResponse(ack.body, status=ack.status, content_type=ack.content_type)
