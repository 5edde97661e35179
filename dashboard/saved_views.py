"""Questions to the list of customers that are kept under a name."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from dashboard.models import FirstView, SavedView
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, DomainError, NotFound

MOST = 30  # a person; more tabs than that nobody finds anything in


def views_of(user_id: UUID) -> tuple[list[SavedView], UUID | None]:
    """One's own views and those that are shared, by name; and which of them one's list opens with. One query."""
    opens = FirstView.objects.filter(user_id=user_id, view_id=OuterRef("id"))
    rows = SavedView.objects.filter(Q(owner_id=user_id) | Q(is_shared=True)).annotate(opens=Exists(opens))
    views = list(rows.order_by("name", "id")[: MOST * 4])
    return views, next((view.id for view in views if view.opens), None)


def query_clean(text: str, known: set[str]) -> str:
    """A query string with nothing in it but filters that are set, in one order."""
    pairs = parse_qsl(text.removeprefix("?"), max_num_fields=60)
    return urlencode(sorted((name, value) for name, value in pairs if name in known and value))


@transaction.atomic
def view_save(*, user_id: UUID, name: str, query: str, is_shared: bool, actor: str) -> SavedView:
    """Keep a question, in place of one's own of that name. Raises DomainError ``view.name``, Conflict ``view.many``."""
    said = name.strip()[:40]
    if not said:
        raise DomainError("view.name", _("A view needs a name."), fields={"name": [_("Please fill this in.")]})
    if SavedView.objects.filter(owner_id=user_id).exclude(name=said).count() >= MOST:
        raise Conflict("view.many", _("Thirty views are the most. Delete one first."))
    view: SavedView
    view = SavedView.objects.update_or_create(
        owner_id=user_id,
        name=said,
        defaults={"query": query[:1000], "is_shared": is_shared},
        create_defaults={"query": query[:1000], "is_shared": is_shared, "created_at": clock.now()},
    )[0]
    if is_shared:
        audit.record(actor=actor, verb="view.share", row=view, new={"name": said, "query": view.query})
    return view


@transaction.atomic
def view_delete(*, user_id: UUID, view_id: UUID, may_share: bool, actor: str) -> None:
    """Forget a view of one's own; a shared one of somebody else with the right to share. Raises NotFound."""
    view = view_get(user_id, view_id)
    if view.owner_id != user_id and not may_share:
        raise NotFound("view.unknown", _("There is no such view."))
    if view.is_shared:
        audit.record(actor=actor, verb="view.delete", row=view, old={"name": view.name, "query": view.query})
    view.delete()


@transaction.atomic
def view_first(*, user_id: UUID, view_id: UUID, is_first: bool) -> None:
    """Let one's list open with a view, or with all customers again. Raises NotFound."""
    view = view_get(user_id, view_id)
    if is_first:
        FirstView.objects.update_or_create(user_id=user_id, defaults={"view": view})
    else:
        FirstView.objects.filter(user_id=user_id).delete()


def view_get(user_id: UUID, view_id: UUID) -> SavedView:
    """A view one may see. Raises NotFound."""
    rows = SavedView.objects.filter(Q(owner_id=user_id) | Q(is_shared=True))
    view: SavedView | None = rows.filter(id=view_id).first()
    if view is None:
        raise NotFound("view.unknown", _("There is no such view."))
    return view
