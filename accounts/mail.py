"""Letters to staff. Small providers often have no mail server: whatever is sent is also shown to whoever sends it."""

from __future__ import annotations

from smtplib import SMTPException

import structlog
from django.core.mail import send_mail
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Invitation

log = structlog.get_logger(__name__)


def invitation_send(invitation: Invitation, *, link: str, tenant_name: str, language: str) -> None:
    """Send the link. Call after the commit. A mail server that is away is written to the log and no more."""
    with translation.override(language):
        subject = _("%(tenant)s asks you to work with them") % {"tenant": " ".join(tenant_name.split())}
        body = _("Open this link within three days and choose a password:\n\n%(link)s\n") % {"link": link}
    try:
        send_mail(subject, body, None, [invitation.email])
    except (OSError, SMTPException) as error:
        log.warning("mail.away", about="invitation", error=type(error).__name__)
