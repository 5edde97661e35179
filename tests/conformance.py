"""What the conformance suites of adapters share: skipping by capability, and what is alike for every kind of adapter.

A test marked ``@needs("can_query")`` is skipped for an adapter whose class says it cannot; every such skip is a row of
``docs/support.md``, made by ``tests.support_page`` from the same marks, so that nothing is skipped in silence.
"""

from __future__ import annotations

import copy
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

import pytest

from ispbilling.kernel.adapters import ConfigField, Facts, Proven

Test = Callable[..., None]
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


#: Faults of a call that may or may not have been accepted: nobody but the journal knows. ``True``: it was.
UNCLEAR: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("cut_before", {}, False),
    ("cut_after", {}, True),
    ("timeout_before", {"seconds": 3.0}, False),
    ("timeout_after", {"seconds": 3.0}, True),
    ("http_error", {"status": 500}, False),
    ("http_error", {"status": 500, "is_accepted": True}, True),
    ("http_error", {"status": 502, "is_accepted": True}, True),
    ("http_error", {"status": 503}, False),
    ("http_error", {"status": 504, "is_accepted": True}, True),
    ("html", {"is_accepted": False}, False),
    ("html", {"is_accepted": True}, True),
    ("truncated", {}, True),
    ("empty", {}, True),
)


def needs(*capabilities: str) -> Callable[[Test], Test]:
    """Marks a test of a suite by what the adapter must be able to do."""

    def mark(test: Test) -> Test:
        test.needs = capabilities  # type: ignore[attr-defined]
        return test

    return mark


class Suite:
    """A subclass per kind of adapter says what ``capabilities`` there are, one of these per adapter names it.

    ``simulator`` is None for an adapter without an outside system. A capability is looked up on the suite first.
    """

    adapter_class: ClassVar[Any]
    contract: ClassVar[type]
    simulator: ClassVar[Any]
    #: name of a capability → what it means, for the page of support.
    capabilities: ClassVar[Mapping[str, str]]
    #: name of a capability → the one without which it has no meaning.
    depends: ClassVar[Mapping[str, str]] = {}
    secret: ClassVar[str] = "PLANTED-9f2c"

    @classmethod
    def has_outside(cls) -> bool:
        return cls.simulator is not None

    @classmethod
    def can(cls, capability: str) -> bool:
        if capability == "has_outside":
            return cls.has_outside()
        return bool(getattr(cls, capability, getattr(cls.adapter_class, capability, False)))

    @classmethod
    def unable(cls) -> list[str]:
        """What this adapter cannot do, without what would have no meaning anyway."""
        named = [one for one in cls.capabilities if not cls.can(one)]
        return [one for one in named if one not in cls.depends or cls.can(cls.depends[one])]

    @classmethod
    def lacking(cls, test: Test) -> list[str]:
        """The capabilities a test needs and this adapter has not."""
        return [one for one in getattr(test, "needs", ()) if not cls.can(one)]

    @classmethod
    def its_tests(cls) -> dict[str, Test]:
        """Every test of the suite by name, without the adapter's habits of its own."""
        found: dict[str, Test] = {}
        for base in cls.__mro__[1:]:
            found |= {name: test for name, test in vars(base).items() if name.startswith("test_")}
        return found

    @pytest.fixture(autouse=True)
    def _able(self, request: pytest.FixtureRequest) -> None:
        lacking = self.lacking(request.function)
        if lacking:
            pytest.skip(f"{self.adapter_class.name}: {', '.join(lacking)} (docs/support.md)")

    def test_signatures_are_those_of_the_contract(self) -> None:
        checked = signatures_compare(self.adapter_class, self.contract)
        assert checked

    def test_the_facts_are_complete(self) -> None:
        facts: Facts = self.adapter_class.facts
        assert isinstance(facts.proven, Proven)
        if self.has_outside():
            assert re.search(r"read \d{4}-\d{2}", facts.docs), "which documentation, and when was it read?"
        else:
            assert facts.docs == "no outside system"
        unexplained = [
            name for name in self.unable() if hasattr(self.adapter_class, name) and name not in facts.missing
        ]
        assert unexplained == [], "what an adapter cannot do has its reason in facts.missing"
        assert all(len(reason) > 5 for reason in facts.missing.values())

    def test_it_is_registered_under_its_name_and_has_a_title(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,19}", self.adapter_class.name)
        assert self.adapter_class.title

    def test_settings_are_complete_or_refused(self) -> None:
        from ispbilling.kernel.errors import Refused

        fields: Mapping[str, ConfigField] = self.adapter_class.config
        with pytest.raises(Refused, match=r"config\.invalid.*unknown: nonsense"):
            self.adapter_class.clean_config({"nonsense": "1"})
        required = [name for name, field in fields.items() if field.required and not field.default]
        if required:
            with pytest.raises(Refused, match=rf"config\.invalid.*missing: {', '.join(sorted(required))}"):
                self.adapter_class.clean_config({})
        assert all(field.label for field in fields.values())


def signatures_compare(adapter: type, contract: type) -> list[str]:
    """Assert that every public method of the contract has the same parameters and hints in the adapter.

    What is returned may be narrower. Returns the names of the methods that were compared.
    """
    compared = []
    for name, wanted in inspect.getmembers(contract, callable):
        if name.startswith("_"):
            continue
        given = getattr(adapter, name)
        theirs, ours = inspect.signature(wanted), inspect.signature(given)
        assert [(one.name, one.kind, one.default) for one in ours.parameters.values()] == [
            (one.name, one.kind, one.default) for one in theirs.parameters.values()
        ], f"{name}: parameters"
        hints, own = get_type_hints(wanted), get_type_hints(given)
        answer, own_answer = hints.pop("return"), own.pop("return")
        assert own == hints, f"{name}: type hints"
        assert own_answer == answer or own_answer in _members(answer), f"{name}: what it returns"
        compared.append(name)
    return compared


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is Union or type(hint).__name__ == "UnionType" else (hint,)


def state_of(adapter: Any) -> dict[str, Any]:
    """Everything an adapter could keep between calls: its own attributes, its class's, its module's containers."""
    module = vars(sys.modules[type(adapter).__module__])
    return copy.deepcopy(
        {
            "own": {name: value for name, value in vars(adapter).items() if name != "settings"},
            "config": dict(adapter.settings.config),
            "class": {
                name: repr(value) for base in type(adapter).__mro__[:-1] for name, value in sorted(vars(base).items())
            },
            "module": {
                name: repr(value) for name, value in module.items() if isinstance(value, dict | list | set | bytearray)
            },
        }
    )


def fits(text: str | None, limit: int) -> bool:
    """Whether a text can be stored: not too long, no control character, no half character."""
    return text is None or (len(text) <= limit and not _UNFIT.search(text))


#: JSON as nobody wants it, put in the place of every value of a genuine body.
NASTY = (
    "null", "true", "false", '""', '" "', '"\\u0000"', '"x\\u0000y"', '"\\ud800"', '"' + "x" * 5000 + '"',
    "NaN", "Infinity", "-Infinity", "-1", "0", "0.001", "1e400", "-1e400", "9" * 5000, '"NaN"', '"1e400"', '"77"',
    "[]", "{}", "[1]", '{"a": 1}', "[" * 50_000 + "]" * 50_000,
)  # fmt: skip


def mangled(genuine: str) -> Iterator[str]:
    """A genuine JSON body with each of its values replaced by each of ``NASTY``, or left out."""
    tree = json.loads(genuine)
    for path in list(_paths(tree)):
        for nasty in NASTY:
            changed = copy.deepcopy(tree)
            _parent(changed, path)[path[-1]] = "@@@"
            yield json.dumps(changed).replace('"@@@"', nasty)
        changed = copy.deepcopy(tree)
        del _parent(changed, path)[path[-1]]
        yield json.dumps(changed)


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def _parent(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        tree = tree[key]
    return tree
