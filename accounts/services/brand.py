"""A tenant's colour and logo."""

from __future__ import annotations

import hashlib
import io
import warnings

from django.db import transaction
from PIL import Image, UnidentifiedImageError

from accounts.models import Logo, Tenant
from ispbilling.kernel import audit, tenancy
from ispbilling.kernel.colour import is_colour, readable_under_white
from ispbilling.kernel.errors import DomainError

MOST_BYTES = 200_000
#: Larger pictures are drawn smaller: papers and faces show no more than this. Pixels.
MOST_WIDTH, MOST_HEIGHT = 800, 400
#: What a file may claim to be before it is drawn: a small file can hold a picture that fills the memory.
MOST_PIXELS = 20_000_000
_KINDS = ("PNG", "JPEG", "WEBP")


@transaction.atomic
def brand_color_set(*, color: str, actor: str) -> Tenant:
    """Set the colour of buttons and papers; darkened as far as white text needs it. Empty = the product's own.

    Raises DomainError ``brand.color``.
    """
    if color and not is_colour(color):
        raise DomainError("brand.color", "A colour looks like #1d5fd1.", fields={"brand_color": ["Like #1d5fd1."]})
    return _change("brand_color", readable_under_white(color.lower()) if color else "", actor)


@transaction.atomic
def logo_set(*, content: bytes, actor: str) -> Tenant:
    """Take in a logo (PNG, JPEG or WebP, at most 200 kB), drawn anew as PNG.

    Raises DomainError ``logo.size``, ``logo.kind``.
    """
    if len(content) > MOST_BYTES:
        raise DomainError("logo.size", "A logo has at most 200 kB.", fields={"logo": ["At most 200 kB."]})
    drawn = _drawn(content)
    Logo.objects.update_or_create(defaults={"content": drawn, "media_type": "image/png"})
    return _change("logo_digest", hashlib.sha256(drawn).hexdigest(), actor)


@transaction.atomic
def logo_remove(*, actor: str) -> Tenant:
    """Go without one."""
    Logo.objects.all().delete()
    return _change("logo_digest", "", actor)


def _drawn(content: bytes) -> bytes:
    """Only the pixels go on: whatever else a file carried (programs, places, other formats) stays behind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=_KINDS)
            if picture.width * picture.height > MOST_PIXELS:
                raise DomainError("logo.size", "That picture has too many pixels.")
            picture.load()
            whole = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        text = "That is not a picture (PNG, JPEG or WebP)."
        raise DomainError("logo.kind", text, fields={"logo": [text]}) from error
    whole.thumbnail((MOST_WIDTH, MOST_HEIGHT))
    written = io.BytesIO()
    whole.save(written, "PNG", optimize=True)
    return written.getvalue()


def _change(column: str, value: str, actor: str) -> Tenant:
    tenant: Tenant = Tenant.objects.select_for_update(no_key=True).get(id=tenancy.tenant_id_required())
    old = getattr(tenant, column)
    if old != value:
        setattr(tenant, column, value)
        tenant.save(update_fields=[column])
        audit.record(actor=actor, verb="tenant.brand", row=tenant, old={column: old}, new={column: value})
    return tenant
