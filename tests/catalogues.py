"""The catalogues of the interface's languages: compiled without outside programs, and looked over.

``python -m tests.catalogues compile`` writes every ``.mo`` from its ``.po``; ``missing LANGUAGE`` prints, as JSON, what
has no translation yet; ``fill LANGUAGE FILE`` takes a JSON object {key: text or [one, many]} with those keys.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("sw", "bn", "fil")
#: What a translation must carry over unchanged: %(name)s, %s, %d, {name}, HTML tags.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?[a-z][^>]*>")


def path_of(language: str, ending: str = "po") -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


def read(language: str) -> polib.POFile:
    return polib.pofile(str(path_of(language)), wrapwidth=0)


def key_of(entry: polib.POEntry) -> str:
    """A name for an entry that is unique in its catalogue: the text, before it the context where there is one."""
    return f"{entry.msgctxt}\x04{entry.msgid}" if entry.msgctxt else entry.msgid


def texts_of(entry: polib.POEntry) -> list[str]:
    if entry.msgid_plural:
        return [entry.msgstr_plural.get(index, "") for index in sorted(entry.msgstr_plural)] or [""]
    return [entry.msgstr]


def is_complete(entry: polib.POEntry) -> bool:
    return not entry.fuzzy and all(texts_of(entry))


def faults_of(entry: polib.POEntry) -> list[str]:
    """What is wrong with a translated entry: placeholders or tags that do not match, line ends that differ."""
    wanted = sorted(PLACEHOLDER.findall(entry.msgid))
    plural = sorted(PLACEHOLDER.findall(entry.msgid_plural)) if entry.msgid_plural else wanted
    faults = []
    for text in texts_of(entry):
        found = sorted(PLACEHOLDER.findall(text))
        # A singular may say "one" in words.
        if found not in (wanted, plural):
            faults.append(f"{entry.msgid!r}: {text!r} has {found}, not {wanted}")
        if text.endswith("\n") != entry.msgid.endswith("\n") or text.startswith("\n") != entry.msgid.startswith("\n"):
            faults.append(f"{entry.msgid!r}: begins or ends with another line")
    return faults


def compiled(language: str) -> bytes:
    catalogue = read(language)
    # Dates of the header change with every run and say nothing.
    for name in ("POT-Creation-Date", "PO-Revision-Date"):
        catalogue.metadata.pop(name, None)
    return bytes(catalogue.to_binary())


def compile_all() -> None:
    for language in LANGUAGES:
        path_of(language, "mo").write_bytes(compiled(language))


def missing(language: str) -> list[dict[str, str]]:
    entries = []
    for entry in read(language):
        if not entry.obsolete and not is_complete(entry):
            found = {"key": key_of(entry), "where": ", ".join(sorted({place for place, _ in entry.occurrences})[:3])}
            if entry.msgid_plural:
                found["plural"] = entry.msgid_plural
            entries.append(found)
    return entries


def fill(language: str, texts: dict[str, str | list[str]]) -> list[str]:
    """Enter translations; the faults of those that were not taken are returned."""
    catalogue = read(language)
    faults = []
    for entry in catalogue:
        text = texts.get(key_of(entry))
        if text is None:
            continue
        if entry.msgid_plural:
            forms = [text, text] if isinstance(text, str) else text
            entry.msgstr_plural = dict(enumerate(forms))
        else:
            entry.msgstr = text if isinstance(text, str) else text[0]
        entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]
        entry.previous_msgctxt = entry.previous_msgid = entry.previous_msgid_plural = None
        wrong = faults_of(entry)
        if wrong:
            faults += wrong
            entry.msgstr = ""
            entry.msgstr_plural = dict.fromkeys(entry.msgstr_plural, "")
    catalogue.save(str(path_of(language)))
    return faults


def main(arguments: list[str]) -> int:
    match arguments:
        case ["compile"]:
            compile_all()
        case ["missing", language]:
            json.dump(missing(language), sys.stdout, ensure_ascii=False, indent=1)
        case ["fill", language, file]:
            faults = fill(language, json.loads(Path(file).read_text()))
            sys.stdout.write("\n".join(faults) + "\n" if faults else "")
            return 1 if faults else 0
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
