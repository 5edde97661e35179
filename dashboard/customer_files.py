"""Notes and files, on a customer's page."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.services import actor_of
from customers import services
from customers.selectors import customer_get, document_get, documents_of, note_get, notes_of
from customers.services.documents import MAX_BYTES
from dashboard.customer_forms import DocumentForm, NoteForm
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError


@require_safe
@never_cache
@access.staff("customers:view")
def notes(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """The panel of notes."""
    row = customer_get(customer_id)
    context = {
        "customer": row,
        "notes": notes_of(row.id),
        "form": NoteForm(auto_id="note_%s"),
        "me": _actor(request),
        "may_write": "customers:note" in request.granted,  # type: ignore[attr-defined]
    }
    return render(request, "dashboard/_customer_notes.html", context)


@require_POST
@access.staff("customers:note")
def note_add(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Write something down."""
    row, form = customer_get(customer_id), NoteForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please write something, in 2,000 letters at most."))
        return redirect("dashboard:customer", customer_id=row.id)
    services.note_add(
        customer_id=customer_id,
        text=form.cleaned_data["text"],
        is_pinned=form.cleaned_data["is_pinned"],
        author=str(request.user),
        actor=_actor(request),
    )
    messages.success(request, _("The note is kept."))
    return redirect("dashboard:customer", customer_id=customer_id)


@require_POST
@access.staff("customers:note")
def note(request: HttpRequest, customer_id: UUID, note_id: UUID) -> HttpResponse:
    """Change a note: ``do`` is ``edit`` (with ``text``), ``pin``, ``unpin``, ``delete`` or ``restore``."""
    do, which = request.POST.get("do", ""), {"customer_id": customer_id, "note_id": note_id}
    actor = _actor(request)
    if do == "edit":
        services.note_edit(**which, text=request.POST.get("text", ""), actor=actor)
        messages.success(request, _("The note is changed."))
    elif do in ("pin", "unpin"):
        services.note_pin(**which, is_pinned=do == "pin", actor=actor)
    elif do in ("delete", "restore"):
        services.note_delete(**which, is_deleted=do == "delete", actor=actor)
        if do == "delete":
            return redirect(f"{reverse('dashboard:customer', args=[customer_id])}?undo_note={note_id}")
        messages.success(request, _("The note is back."))
    else:
        note_get(customer_id, note_id)
        messages.error(request, _("That cannot be done with a note."))
    return redirect("dashboard:customer", customer_id=customer_id)


@require_safe
@never_cache
@access.staff("customers:documents")
def documents(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """The panel of files."""
    row = customer_get(customer_id)
    context = {"customer": row, "documents": documents_of(row.id), "form": DocumentForm(auto_id="document_%s")}
    return render(request, "dashboard/_customer_documents.html", context)


@require_POST
@access.staff("customers:documents")
def document_add(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Keep a file."""
    row, sent = customer_get(customer_id), request.FILES.get("file")
    if sent is None:
        messages.error(request, _("Choose a file first."))
        return redirect("dashboard:customer", customer_id=row.id)
    if sent.size is None or sent.size > MAX_BYTES:
        raise DomainError("document.size", _("A file of 5 MB at most, please."))
    services.document_add(customer_id=customer_id, name=sent.name or "", content=sent.read(), actor=_actor(request))
    messages.success(request, _("The file is kept."))
    return redirect("dashboard:customer", customer_id=customer_id)


@require_safe
@never_cache
@access.staff("customers:documents")
def document(request: HttpRequest, customer_id: UUID, document_id: UUID) -> HttpResponse:
    """A file, to be saved: it is never shown as a page of ours."""
    found = document_get(customer_id, document_id)
    answer = HttpResponse(bytes(found.content), content_type=found.kind)
    answer["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@require_POST
@access.staff("customers:documents")
def document_change(request: HttpRequest, customer_id: UUID, document_id: UUID) -> HttpResponse:
    """Take a file away (``do`` = ``delete``), or bring it back (``restore``)."""
    do = request.POST.get("do", "")
    if do not in ("delete", "restore"):
        document_get(customer_id, document_id)
        messages.error(request, _("That cannot be done with a file."))
        return redirect("dashboard:customer", customer_id=customer_id)
    which = {"customer_id": customer_id, "document_id": document_id}
    services.document_delete(**which, is_deleted=do == "delete", actor=_actor(request))
    if do == "delete":
        return redirect(f"{reverse('dashboard:customer', args=[customer_id])}?undo_file={document_id}")
    messages.success(request, _("The file is back."))
    return redirect("dashboard:customer", customer_id=customer_id)


def _actor(request: HttpRequest) -> str:
    return actor_of(request.user.id)  # type: ignore[arg-type]
