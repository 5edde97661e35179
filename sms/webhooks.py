"""Delivery reports: read, believed only about messages we sent, answered at once."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ispbilling.kernel import access, tenancy
from ispbilling.kernel.errors import Refused
from sms import selectors, services
from sms.channels.base import ChannelSettings, channels

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
@access.hook()
def report_hook(request: HttpRequest, token: str) -> HttpResponse:
    """A provider's delivery report."""
    account = selectors.account_of_token(token)
    if account is None:
        return HttpResponseNotFound()
    channel = channels.get(account.channel)(ChannelSettings(dict(account.config), account.base_url))
    try:
        report = channel.parse_report(request.POST.dict())
    except Refused as error:
        log.warning("message.report_refused", code=error.code)
        return HttpResponse("ignored\n", content_type="text/plain")
    with tenancy.tenant_context(account.tenant_key):
        services.report_apply(account_id=account.id, report=report)
    return HttpResponse("ok\n", content_type="text/plain")
