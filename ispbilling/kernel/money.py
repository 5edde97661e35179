"""Money: a Decimal with its currency, and the one rounding rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from django.db import models

#: Digits after the point by ISO 4217 where it is not two.
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum: always a bug, never converted in silence."""


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency that exists: ``Decimal("0.01")`` for KES."""
    return Decimal(1).scaleb(-_MINOR_DIGITS.get(currency, 2))


def quantize(amount: Decimal, currency: str) -> Decimal:
    """THE rounding rule: half up, to the currency's minor unit."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, always a whole number of minor units."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money takes Decimal, not {type(self.amount).__name__}")
        object.__setattr__(self, "amount", quantize(self.amount, self.currency))

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,}"

    def percent(self, rate: Decimal) -> Money:
        """``rate`` per cent of this, rounded once."""
        return Money(self.amount * rate / 100, self.currency)

    def round_up(self, unit: Decimal) -> Money:
        """The next multiple of ``unit`` not below this: a gateway that takes whole shillings is asked for those."""
        return Money((self.amount / unit).to_integral_value(ROUND_UP) * unit, self.currency)

    def share(self, part: int, whole: int) -> Money:
        """``part`` of ``whole`` of this, never more than that comes to: for what is given back."""
        exact = self.amount * part / whole
        return Money(exact.quantize(minor_unit(self.currency), rounding=ROUND_DOWN), self.currency)

    def split(self, weights: Sequence[Decimal], *, remainder: int = 0) -> list[Money]:
        """Parts in proportion to ``weights``; the rounding remainder goes to part ``remainder``, so they add up.

        Raises ValueError when there is no positive weight or one is negative.
        """
        total = sum(weights, Decimal(0))
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative with a positive sum")
        parts = [Money(self.amount * weight / total, self.currency) for weight in weights]
        rest = self - sum(parts, Money.zero(self.currency))
        parts[remainder] = parts[remainder] + rest
        return parts


class AmountField(models.DecimalField):
    """A column of money: 16 digits, 3 of them after the point, which holds every ISO currency exactly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 16)
        kwargs.setdefault("decimal_places", 3)
        super().__init__(*args, **kwargs)


class CurrencyField(models.CharField):
    """ISO 4217 code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 3
        super().__init__(*args, **kwargs)
