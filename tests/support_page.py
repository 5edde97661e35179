"""The page of support: what each adapter says of itself, and what its suite leaves out because of it.

``tests/house/test_support.py`` holds ``docs/support.md`` to the code.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from payments.providers.base import providers
from sms.channels.base import channels
from tests.conformance import Suite

PATH = Path(__file__).resolve().parents[1] / "docs" / "support.md"
HEAD = """# What each gateway and channel can do

Made from what the adapters say of themselves and from what their suites leave out; a test holds it to the code, and
writes it anew with `SUPPORT_PAGE=write bin/test tests/house/test_support.py`. "Proven against" is the most an adapter
was ever seen to work with: before money moves through one that knows a simulator only, try it in the provider's
sandbox.
"""


def page() -> str:
    """The whole page."""
    payments = [suite_of("payments", "provider", name) for name in providers.names()]
    messages = [suite_of("sms", "channel", name) for name in channels.names()]
    return "\n".join(
        [
            HEAD,
            *_chapter("Payment providers", payments, _payment_rows(payments)),
            *_chapter("Message channels", messages, _message_rows(messages)),
        ]
    )


def suite_of(app: str, attribute: str, name: str) -> type[Suite]:
    """The suite of an adapter: in ``tests/<app>/test_<name>.py``. Raises LookupError where there is none."""
    try:
        module = importlib.import_module(f"tests.{app}.test_{name}")
    except ModuleNotFoundError as error:
        raise LookupError(f"{name} has no suite in tests/{app}/test_{name}.py") from error
    for entry in vars(module).values():
        is_suite = isinstance(entry, type) and issubclass(entry, Suite)
        if is_suite and getattr(getattr(entry, attribute, None), "name", "") == name:
            return entry
    raise LookupError(f"tests/{app}/test_{name}.py runs no suite on {name}")


def _payment_rows(suites: list[type[Suite]]) -> list[tuple[str, list[str]]]:
    adapters = [suite.adapter_class for suite in suites]
    return [
        ("currencies", [", ".join(sorted(one.currencies)) or "any" for one in adapters]),
        ("smallest amount", [str(one.smallest_unit) for one in adapters]),
        ("an answer is waited for", [_seconds(suite) for suite in suites]),
    ]


def _message_rows(suites: list[type[Suite]]) -> list[tuple[str, list[str]]]:
    return [
        ("messages in one call", [str(suite.adapter_class.batch_size) for suite in suites]),
        ("an answer is waited for", [_seconds(suite) for suite in suites]),
    ]


def _seconds(suite: type[Suite]) -> str:
    return f"{suite.adapter_class.answer_timeout_s:g} s" if suite.has_outside() else "–"


def _chapter(title: str, suites: list[type[Suite]], rows: list[tuple[str, list[str]]]) -> list[str]:
    adapters = [suite.adapter_class for suite in suites]
    proven = [str(suite.adapter_class.facts.proven) if suite.has_outside() else "–" for suite in suites]
    abilities = suites[0].capabilities.items()
    rows = [
        ("written from", [one.facts.docs for one in adapters]),
        ("proven against", proven),
        *rows,
        *[(words, ["yes" if suite.can(name) else "no" for suite in suites]) for name, words in abilities],
    ]
    lines = [f"## {title}", "", _row("", [one.title for one in adapters]), _row("---", ["---"] * len(suites))]
    lines += [_row(name, cells) for name, cells in rows]
    for suite in suites:
        lines += ["", *_lacks(suite)]
    return [*lines, ""]


def _row(name: str, cells: list[str]) -> str:
    return f"| {' | '.join([name, *cells])} |"


def _lacks(suite: type[Suite]) -> list[str]:
    """Why an adapter cannot what it cannot, and which tests are skipped for it."""
    adapter = suite.adapter_class
    lines = [f"### {adapter.title} (`{adapter.name}`)", ""]
    for name, reason in adapter.facts.missing.items():
        what = f"{suite.capabilities[name]}: no" if name in suite.capabilities else name
        lines.append(f"- {what}: {reason}")
    if not adapter.facts.missing:
        lines.append("- Nothing that the contract knows is missing.")
    skipped = [(name, lacking) for name, test in sorted(suite.its_tests().items()) if (lacking := suite.lacking(test))]
    if not skipped:
        return [*lines, "", f"All {len(suite.its_tests())} tests of its suite are run."]
    lines += ["", f"Of the {len(suite.its_tests())} tests of its suite {len(skipped)} are left out:", ""]
    lines += [f"- {name.removeprefix('test_').replace('_', ' ')} ({', '.join(lacking)})" for name, lacking in skipped]
    return lines
