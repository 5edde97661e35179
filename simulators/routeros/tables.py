"""The rows of one menu: ids, names, uniqueness, order, and what ``print`` shows of them.

Reading and writing one row by id or by name costs the same in a table of five and of five thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from . import traps
from .query import Query
from .schema import Menu, Property
from .values import is_address

Computed = Callable[[], Mapping[str, str]]
BUILT_IN_IDS_FROM = 0xF0000000  # rows the router was delivered with


class Row:
    """``values`` are the stored columns, ``computed`` adds those that live (counters, uptime).

    ``is_locked`` rows belong to the router itself and cannot be changed or removed by a command.
    """

    __slots__ = ("computed", "id", "is_locked", "values")

    def __init__(self, row_id: str, values: dict[str, str], computed: Computed | None, is_locked: bool) -> None:
        self.id = row_id
        self.values = values
        self.computed = computed
        self.is_locked = is_locked

    def columns(self) -> dict[str, str]:
        """Everything the router would show of the row, ``.id`` first."""
        shown = {".id": self.id, **self.values}
        if self.computed is not None:
            shown.update(self.computed())
        return shown


class Table:
    """``tables`` are all menus of the router by path: what a reference is looked up in."""

    def __init__(self, menu: Menu, tables: Mapping[str, Table]) -> None:
        self.menu = menu
        self._tables = tables
        self._rows: dict[str, Row] = {}
        self._unique: dict[tuple[str, ...], Row] = {}
        self._named: dict[str, dict[str, Row]] = {}
        self._next_id = menu.first_id

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def named(self, name: str) -> Row | None:
        """The first row whose key column is ``name``."""
        rows = self._named.get(name)
        return next(iter(rows.values())) if rows else None

    def with_values(self, *wanted: str) -> Row | None:
        """The row whose unique columns are ``wanted``, in the order the menu names them."""
        return self._unique.get(wanted)

    def single(self) -> Row:
        """The one row of a menu without ids."""
        return next(iter(self._rows.values()))

    def find(self, reference: str) -> Row:
        """The row with this id or, failing that, this name. Raises Trap "no such item"."""
        row = self._rows.get(reference) or self.named(reference)
        if row is None:
            raise traps.no_such_item()
        return row

    def select(self, query: Query, proplist: Sequence[str] | None, ids: Sequence[str] | None) -> list[dict[str, str]]:
        """The columns of the rows that match, in table order."""
        found: list[dict[str, str]] = []
        for row in self._candidates(query, ids):
            columns = row.columns()
            if self.menu.is_single:
                del columns[".id"]
            if query and not query.matches(columns):
                continue
            if proplist is not None:
                columns = {name: columns[name] for name in proplist if name in columns}
            found.append(columns)
        return found

    def read(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """The attributes as they would be stored. Raises Trap for an unknown property or a bad value."""
        return {name: self._read_value(name, self._property(name), value) for name, value in attributes.items()}

    def add(
        self,
        given: Mapping[str, str],
        *,
        before: Row | None = None,
        computed: Computed | None = None,
        is_locked: bool = False,
        row_id: str | None = None,
    ) -> Row:
        """Store a row of values that were read; the rest of its columns takes the defaults.

        Raises Trap when a required column is missing or a unique one taken.
        """
        for name, prop in self.menu.properties.items():
            if prop.is_required and name not in given:
                raise traps.missing_argument(name)
        stored = {name: prop.default for name, prop in self.menu.properties.items()} | dict(given)
        values = {name: value for name, value in stored.items() if value is not None}
        self._check_unique(values, None)
        for name, value in self.menu.fixed.items():
            values.setdefault(name, value)
        if row_id is None:
            row_id, self._next_id = f"*{self._next_id:X}", self._next_id + 1
        row = Row(row_id, values, computed, is_locked)
        self._rows[row.id] = row
        self._index(row)
        if before is not None:
            self.move([row], before)
        return row

    def change(self, row: Row, values: Mapping[str, str]) -> None:
        """Set columns of a row. Raises Trap when another row has the unique ones."""
        after = {**row.values, **values}
        self._check_unique(after, row)
        self._unindex(row)
        row.values = after
        self._index(row)

    def clear(self, row: Row, name: str) -> None:
        """Back to the default of the column, or without it. Raises Trap for columns that cannot be unset."""
        prop = self.menu.properties.get(name)
        if prop is None or prop.is_required:
            raise traps.no_such_value("value-name")
        if prop.default is not None:
            self.change(row, {name: prop.default})
        elif name in row.values:
            self._unindex(row)
            del row.values[name]
            self._index(row)

    def remove(self, row: Row) -> None:
        self._unindex(row)
        del self._rows[row.id]

    def has(self, row: Row) -> bool:
        return self._rows.get(row.id) is row

    def put_back(self, row: Row) -> bool:
        """A row that was removed is there again. False when its id or its unique columns were taken meanwhile."""
        unique = self._unique_key(row.values)
        if row.id in self._rows or (unique is not None and unique in self._unique):
            return False
        self._rows[row.id] = row
        self._index(row)
        return True

    def restore(self, row: Row, values: Mapping[str, str | None]) -> None:
        """Columns as they were, None for those the row did not have."""
        self._unindex(row)
        row.values = {name: value for name, value in {**row.values, **values}.items() if value is not None}
        self._index(row)

    def order(self) -> list[str]:
        """The ids in table order."""
        return list(self._rows)

    def put_in_order(self, ids: Iterable[str]) -> None:
        """The rows in the order of ``ids``; those it does not name come last."""
        rows = self._rows
        self._rows = {row_id: rows[row_id] for row_id in ids if row_id in rows}
        self._rows.update(rows)

    def reuse_ids(self) -> None:
        """Give the ids of rows that are gone to new ones, as a router does after it has started."""
        used = [int(row_id[1:], 16) for row_id in self._rows]
        self._next_id = max([self.menu.first_id - 1, *(one for one in used if one < BUILT_IN_IDS_FROM)]) + 1

    def move(self, rows: Iterable[Row], before: Row | None) -> None:
        """Put the rows in front of ``before``, or at the end."""
        moved = {row.id: row for row in rows}
        if before is not None and before.id in moved:
            return
        order: dict[str, Row] = {}
        for row in self._rows.values():
            if row is before:
                order.update(moved)
            if row.id not in moved:
                order[row.id] = row
        if before is None:
            order.update(moved)
        self._rows = order

    def name_free(self, stem: str) -> str:
        """``stem1``, ``stem2`` … whichever no row has yet."""
        suffix = 1
        while self.named(f"{stem}{suffix}") is not None:
            suffix += 1
        return f"{stem}{suffix}"

    def _candidates(self, query: Query, ids: Sequence[str] | None) -> Iterable[Row]:
        if ids is not None:
            return [self.find(reference) for reference in ids]
        wanted_id = query.wanted(".id")
        if wanted_id is not None:
            return [self._rows[wanted_id]] if wanted_id in self._rows else []
        wanted_name = query.wanted(self.menu.key) if self.menu.key else None
        if wanted_name is not None:
            return list(self._named.get(wanted_name, {}).values())
        return list(self._rows.values())

    def _property(self, name: str) -> Property:
        try:
            return self.menu.properties[name]
        except KeyError:
            raise traps.unknown_parameter(name) from None

    def _read_value(self, name: str, prop: Property, value: str) -> str:
        if prop.allowed_words and value not in prop.allowed_words:
            raise traps.no_such_value(name)
        if prop.reference is not None:
            return self._read_reference(name, prop, prop.reference, value)
        try:
            return prop.parse(value)
        except ValueError:
            raise traps.invalid_value(name) from None

    def _read_reference(self, name: str, prop: Property, menu: str, value: str) -> str:
        if value in prop.other_words or (prop.address_allowed and is_address(value)):
            return value
        if prop.address_allowed and not value:
            raise traps.invalid_value(name)
        table = self._tables[menu]
        try:
            row = table.find(value)
        except traps.Trap:
            raise traps.no_such_value(name) from None
        return row.values[table.menu.key or "name"]

    def _unique_key(self, values: Mapping[str, str]) -> tuple[str, ...] | None:
        if not self.menu.unique:
            return None
        return tuple(values.get(name, "") for name in self.menu.unique)

    def _check_unique(self, values: Mapping[str, str], row: Row | None) -> None:
        key = self._unique_key(values)
        if key is not None and self._unique.get(key, row) is not row:
            raise traps.failure(self.menu.duplicate)

    def _index(self, row: Row) -> None:
        unique = self._unique_key(row.values)
        if unique is not None:
            self._unique[unique] = row
        if self.menu.key is not None:
            self._named.setdefault(row.values.get(self.menu.key, ""), {})[row.id] = row

    def _unindex(self, row: Row) -> None:
        unique = self._unique_key(row.values)
        if unique is not None:
            self._unique.pop(unique, None)
        if self.menu.key is not None:
            name = row.values.get(self.menu.key, "")
            same = self._named[name]
            del same[row.id]
            if not same:
                del self._named[name]
