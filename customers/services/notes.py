"""What staff write down about customers."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Note
from customers.selectors import customer_get
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import DomainError, NotFound

MAX_TEXT = 2_000


@transaction.atomic
def note_add(*, customer_id: UUID, text: str, is_pinned: bool = False, author: str, actor: str) -> Note:
    """Write something down. ``author`` is the writer's name as pages show it. Raises NotFound, DomainError."""
    customer = customer_get(customer_id)
    note: Note = Note.objects.create(
        customer=customer,
        text=_checked(text),
        is_pinned=is_pinned,
        actor=actor,
        author=author[:120],
        created_at=clock.now(),
    )
    audit.record(actor=actor, verb="note.add", row=note, new={"customer": customer.id})
    return note


@transaction.atomic
def note_edit(*, customer_id: UUID, note_id: UUID, text: str, actor: str) -> Note:
    """Change the words of a note of one's own. Raises NotFound, DomainError ``note.other``, ``note.text``."""
    note = _locked(customer_id, note_id)
    if note.actor != actor:
        raise DomainError("note.other", _("Only its writer changes a note. Add one of your own."))
    note.text, note.edited_at = _checked(text), clock.now()
    note.save(update_fields=["text", "edited_at"])
    audit.record(actor=actor, verb="note.edit", row=note)
    return note


@transaction.atomic
def note_pin(*, customer_id: UUID, note_id: UUID, is_pinned: bool, actor: str) -> Note:
    """Keep a note above the others, or no longer. Raises NotFound."""
    note = _locked(customer_id, note_id)
    if note.is_pinned != is_pinned:
        note.is_pinned = is_pinned
        note.save(update_fields=["is_pinned"])
        audit.record(actor=actor, verb="note.pin", row=note, new={"is_pinned": is_pinned})
    return note


@transaction.atomic
def note_delete(*, customer_id: UUID, note_id: UUID, is_deleted: bool = True, actor: str) -> Note:
    """Take a note away, or with ``is_deleted`` False bring it back. Raises NotFound."""
    note = _locked(customer_id, note_id)
    if (note.deleted_at is not None) != is_deleted:
        note.deleted_at = clock.now() if is_deleted else None
        note.save(update_fields=["deleted_at"])
        audit.record(actor=actor, verb="note.delete" if is_deleted else "note.restore", row=note)
    return note


def _checked(text: str) -> str:
    said = text.strip()
    if not said or len(said) > MAX_TEXT:
        problem = _("Please write something, in 2,000 letters at most.")
        raise DomainError("note.text", problem, fields={"text": [problem]})
    return said


def _locked(customer_id: UUID, note_id: UUID) -> Note:
    rows = Note.objects.select_for_update(no_key=True).filter(customer_id=customer_id)
    note: Note | None = rows.filter(id=note_id).first()
    if note is None:
        raise NotFound("note.unknown", _("There is no such note."))
    return note
