"""Files about customers, kept in the database behind the tenant's walls."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Document
from customers.selectors import customer_get
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import DomainError, NotFound

MAX_BYTES = 5 * 1024 * 1024
#: What scripts and other active content of a PDF stand behind: a file that has it is not taken.
_ACTIVE = (b"/JavaScript", b"/JS ", b"/JS(", b"/Launch", b"/EmbeddedFile")


def kind_of(content: bytes) -> str | None:
    """What a file is by its first bytes, whatever its name says; None for what is not taken."""
    if content.startswith(b"%PDF-"):
        return str(Document.Kind.PDF)
    if content.startswith(b"\xff\xd8\xff"):
        return str(Document.Kind.JPEG)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return str(Document.Kind.PNG)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return str(Document.Kind.WEBP)
    return None


@transaction.atomic
def document_add(*, customer_id: UUID, name: str, content: bytes, actor: str) -> Document:
    """Keep a file. Raises NotFound, DomainError ``document.size``, ``document.kind``."""
    customer = customer_get(customer_id)
    if not content or len(content) > MAX_BYTES:
        raise _problem("document.size", _("A file of 5 MB at most, please."))
    kind = kind_of(content)
    if kind is None:
        raise _problem("document.kind", _("Only PDF, JPEG, PNG and WebP files are taken."))
    if kind == Document.Kind.PDF and any(sign in content for sign in _ACTIVE):
        raise _problem("document.active", _("This PDF carries a program or another file. Print it to a plain PDF."))
    document: Document = Document.objects.create(
        customer=customer,
        name=_name(name),
        kind=kind,
        size_bytes=len(content),
        content=content,
        actor=actor,
        created_at=clock.now(),
    )
    audit.record(actor=actor, verb="document.add", row=document, new={"customer": customer.id, "name": document.name})
    return document


@transaction.atomic
def document_delete(*, customer_id: UUID, document_id: UUID, is_deleted: bool = True, actor: str) -> None:
    """Take a file away, or with ``is_deleted`` False bring it back. Raises NotFound."""
    rows = Document.objects.select_for_update(no_key=True).defer("content")
    document: Document | None = rows.filter(customer_id=customer_id, id=document_id).first()
    if document is None:
        raise NotFound("document.unknown", _("There is no such file."))
    if (document.deleted_at is not None) != is_deleted:
        document.deleted_at = clock.now() if is_deleted else None
        document.save(update_fields=["deleted_at"])
        audit.record(actor=actor, verb="document.delete" if is_deleted else "document.restore", row=document)


def _problem(code: str, text: str) -> DomainError:
    return DomainError(code, text, fields={"file": [text]})


def _name(text: str) -> str:
    """The last part of what was sent as name, without control characters."""
    last = text.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip()[:120] or "file"
