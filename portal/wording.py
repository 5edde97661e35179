"""Why a payment ended badly, and what to do about it, in words a payer can use."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Advice:
    """``text`` says what happened, ``todo`` what helps."""

    text: str | Promise
    todo: str | Promise


_ADVICE = {
    "funds": Advice(_("There is not enough money on that account."), _("Put money on it, then try again.")),
    "cancelled": Advice(_("The payment was cancelled on the telephone."), _("Try again and type your PIN.")),
    "no_answer": Advice(
        _("The telephone did not answer in time."), _("Is it on, unlocked and in reach? Then try again.")
    ),
    "wrong_pin": Advice(
        _("The PIN was wrong."), _("Try again with the right PIN. After three wrong ones it is locked.")
    ),
    "busy": Advice(_("Another payment is open on that telephone."), _("Close it, wait two minutes, then try again.")),
    "limit": Advice(_("The amount is over your limit for today."), _("Pay for less time, or try again tomorrow.")),
    "expired": Advice(_("The time to confirm ran out."), _("Keep the telephone in your hand and try again.")),
    "away": Advice(
        _("The payment service could not be reached. Nothing was charged."), _("Wait a few minutes, then try again.")
    ),
}
_OTHER = Advice(
    _("The payment did not go through. No money reached us."), _("Try again. If it happens once more, please call us.")
)


def advice_of(reason: str) -> Advice:
    """For our word of a reason (``payments.models.Payment.reason``); an unknown one has an answer too."""
    return _ADVICE.get(reason, _OTHER)
