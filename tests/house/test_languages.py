"""The interface speaks four languages wholly: nothing untranslated, nothing that breaks a sentence's values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

from tests import catalogues


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    assert [entry["key"] for entry in catalogues.missing(language)] == []


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_translations_carry_the_values_of_their_texts(language: str) -> None:
    faults = [fault for entry in catalogues.read(language) for fault in catalogues.faults_of(entry)]
    assert faults == []


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    assert catalogues.path_of(language, "mo").read_bytes() == catalogues.compiled(language), "run bin/translate --compile"


def test_a_translation_that_loses_a_value_is_found() -> None:
    entry = polib.POEntry(msgid="Paid until %(until)s", msgstr="Imelipwa")
    assert catalogues.faults_of(entry) != []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="collecting texts needs Debian's gettext")
def test_every_text_of_the_product_stands_in_the_catalogues(tmp_path: Path) -> None:
    """Collected anew in a copy: what the catalogues lack is a text that was written since."""
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".git", "tests", "simulators", "staticfiles", "node_modules", "docs", "vendor")
    shutil.copytree(catalogues.ROOT, copy, ignore=ignored)
    command = [sys.executable, "-m", "django", "makemessages", "-l", "sw", "--no-obsolete", "--no-wrap", "--no-location"]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    fresh = polib.pofile(str(copy / "locale" / "sw" / "LC_MESSAGES" / "django.po"))
    kept = {catalogues.key_of(entry) for entry in catalogues.read("sw") if not entry.obsolete}
    assert sorted(catalogues.key_of(entry) for entry in fresh if catalogues.key_of(entry) not in kept) == []
