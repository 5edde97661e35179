"""Telephone numbers: stored in E.164 (``+254712345678``), typed by people in any way they like."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

from ispbilling.kernel.errors import DomainError


def normalise(text: str, country: str) -> str:
    """E.164 of what was typed, read as a number of ``country`` (ISO 3166 alpha-2) when it carries no country code.

    ``0712 345 678``, ``254712345678`` and ``+254 712-345678`` give the same. Raises DomainError ``phone.invalid``.
    """
    digits = "".join(character for character in text if character.isdigit())
    calling_code = str(phonenumbers.country_code_for_region(country))
    # People write the country code without its plus sign. Tried second: a local number may begin with those digits.
    candidates = [text]
    if digits.startswith("00"):
        candidates.append("+" + digits[2:])
    elif digits.startswith(calling_code):
        candidates.append("+" + digits)
    for candidate in candidates:
        try:
            number = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number_for_region(
            number, phonenumbers.region_code_for_number(number) or country
        ):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise DomainError(
        "phone.invalid",
        f"“{text}” is not a telephone number we can reach.",
        fields={"phone": ["Write it like 0712 345 678 or +254 712 345 678."]},
    )


@lru_cache(maxsize=4096)
def local(e164: str) -> str:
    """As the people of that country write it: ``0712 345678``."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def masked_local(e164: str) -> str:
    """``local``, of which only its owner needs to know the rest: ``0712 •••678``."""
    text = local(e164)
    digits = [at for at, sign in enumerate(text) if sign.isdigit()]
    hidden = set(digits[4:-3])
    return "".join("•" if at in hidden else sign for at, sign in enumerate(text))


def masked(e164: str) -> str:
    """For logs, which need not show all of it: ``+25471•••678``."""
    return f"{e164[:6]}•••{e164[-3:]}" if len(e164) > 9 else "•••"
