"""The faults Daraja can be told to have."""

from __future__ import annotations

from simulators.daraja.till import ERRORS
from simulators.faults import Fault, choice, number, text, wire_faults

_SIGNED = choice("any", "push", "query", "pull")
_SOON = number(1.0, 0, 86_400, drawn=(0.05, 1.5))

FAULTS: dict[str, Fault] = {
    **wire_faults("token", "push", "query", "pull"),
    "token_killed": Fault("Somebody took a newer token just before this call.", {"on": _SIGNED}),
    "token_dead": Fault("The token has died before its time.", {"on": _SIGNED}),
    "error_code": Fault("A push is refused with this errorCode.", {"code": choice(*ERRORS)}),
    "receipt_repeated": Fault("A payment gets the receipt of the one before."),
    "query_in_flight": Fault(
        "How a query answers while the prompt is open.",
        {"face": choice("4999", "500.001.1001"), "status": choice(500, 200), "message": choice("", "processing")},
    ),
    "query_no_answer": Fault("500.001.1001 for a payment that is concluded.", {"status": choice(500, 200)}),
    "query_code": Fault(
        "A concluded payment is answered with a code nobody knows.", {"code": choice("77", "", "SFC_NEW", "4999")}
    ),
    "callback_early": Fault("The callback arrives before the answer to the push is sent."),
    "callback_late": Fault("The callback comes so many seconds after the end.", {"seconds": _SOON}),
    "callback_never": Fault("The callback never comes."),
    "callback_twice": Fault("The callback comes a second time.", {"seconds": number(0.0, 0, 600, drawn=(0, 0.5))}),
    "callback_storm": Fault("The callback comes many times at once.", {"copies": number(20, 2, 32)}),
    "callback_forged": Fault(
        "A made-up success beside the true callback: at a path without, or with a wrong attempt's or account's token;"
        " at the right path with a made-up reference, or with one of another shortcode."
        " ``url``: posted there instead, with the right reference.",
        {
            "kind": choice("wrong_token", "no_token", "wrong_account", "other_reference", "other_shortcode"),
            "on": choice("open", "ended"),
            "url": text(),
        },
    ),
    "callback_amount": Fault(
        "A success tells another amount than was asked.",
        {"kind": choice("less", "more", "zero", "negative", "noise")},
    ),
    "callback_of_another": Fault(
        "A success tells the receipt of another payment, or is another payment's callback altogether.",
        {"what": choice("receipt", "whole")},
    ),
    "callback_garbage": Fault(
        "Something unreadable comes before the callback.",
        {"kind": choice("truncated", "empty", "html", "huge", "binary")},
    ),
    "pull_late": Fault("A payment appears in the statement so many seconds after it was made.", {"seconds": _SOON}),
    "pull_repeated": Fault("Every row of a page of the statement stands there twice."),
    "pull_garbage": Fault(
        "A row nobody can read stands among those of the statement.",
        {"kind": choice("no_receipt", "no_amount", "not_an_object", "strange_amount")},
    ),
    "success_after_failure": Fault("Told as cancelled first, then paid after all.", {"seconds": _SOON}),
    "failure_after_success": Fault("Told as paid, then as cancelled, which is not so.", {"seconds": _SOON}),
}
