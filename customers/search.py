"""Finding customers: by tokens, or by what an upper app knows them by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from customers import tokens
from customers.models import Customer, SearchToken

#: (what was typed) → the customers it names exactly, such as those of an invoice number; few, or none.
Finder = Callable[[str], Collection[UUID]]
_finders: list[Finder] = []

#: A word that more customers than this are found by is not written out: the list walks in its order and asks of each.
#: So many names cost a query and its answer under 5 ms; a word beyond it is met so often that the walk is short.
BOUND = 1_000
#: A word met by no more than these is taken without looking at the others first.
FEW = 50


def register(finder: Finder) -> None:
    """Let customers be found by something an upper app knows. Raises ValueError for a finder that is there already."""
    if finder in _finders:
        raise ValueError(f"{finder.__name__} is registered twice")
    _finders.append(finder)


def met(rows: QuerySet[Customer], query: str, *, bound: int = BOUND) -> QuerySet[Customer]:
    """Those of ``rows`` for whom every word of ``query`` begins a token (or, for digits, ends a number), and those
    whom a finder names. An empty query leaves all.

    The word that the fewest are met by is asked first and its customers are written out; the others are only asked of
    these, through the index that begins with the customer. So two words never intersect two large sets.
    """
    wanted = [_either(options) for options in tokens.ranges(query)]
    named = {customer for finder in _finders for customer in finder(query.strip())}
    if not wanted:
        return rows.filter(id__in=named) if named else (rows.none() if query.strip() else rows)
    rarest = _rarest(wanted, bound)
    if rarest is not None:
        word, found = rarest
        for other in wanted:
            if other is not word and found:
                kept = SearchToken.objects.filter(other, customer_id__in=found)
                found = set(kept.values_list("customer_id", flat=True))
        return rows.filter(id__in=found | named)
    if named:
        return rows.filter(id__in=named)
    for word in wanted:
        rows = rows.filter(Exists(SearchToken.objects.filter(word, customer_id=OuterRef("id"))))
    return rows


def _either(options: list[tuple[str, str]]) -> Q:
    condition = Q()
    for low, high in options:
        condition |= Q(token__gte=low, token__lt=high)
    return condition


def _rarest(wanted: list[Q], bound: int) -> tuple[Q, set[UUID]] | None:
    """The word with the fewest customers, and these; None when each has more than ``bound``."""
    best: tuple[Q, set[UUID]] | None = None
    for word in wanted:
        rows = SearchToken.objects.filter(word).values_list("customer_id", flat=True)
        found = list(rows[: bound + 1])
        if len(found) <= bound and (best is None or len(found) < len(best[1])):
            best = word, set(found)
            if len(found) <= FEW:
                break
    return best
