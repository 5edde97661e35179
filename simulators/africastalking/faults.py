"""The faults Africa's Talking can be told to have."""

from __future__ import annotations

from simulators.faults import Fault, choice, number, text, wire_faults

#: Words of a delivery report, with whether they are the end.
STATUSES = {
    "Sent": False,
    "Submitted": False,
    "Buffered": False,
    "Success": True,
    "Failed": True,
    "Rejected": True,
    "AbsentSubscriber": True,
    "Expired": True,
}
REASONS = {"Failed": "DeliveryFailure", "Rejected": "UserInBlackList"}

_SOON = number(1.0, 0, 86_400, drawn=(0.05, 1.5))

FAULTS: dict[str, Fault] = {
    **wire_faults("messaging", "balance"),
    "recipients_missing": Fault("So many recipients were taken and are not in the answer.", {"count": number(1, 1, 9)}),
    "number_form": Fault(
        "Numbers in the answer are not written as they were asked.", {"form": choice("digits", "local", "spaced")}
    ),
    "report_status": Fault("Delivery reports say this.", {"status": choice(*STATUSES)}),
    "report_early": Fault("The delivery report arrives before the answer to the call is sent."),
    "report_late": Fault("The delivery report comes so many seconds later than else.", {"seconds": _SOON}),
    "report_never": Fault("The delivery report never comes."),
    "reports_repeated": Fault("The delivery report comes many times at once.", {"copies": number(3, 2, 32)}),
    "reports_out_of_order": Fault(
        "Success first, and after it the news that came before.",
        {"then": choice("Failed", "Buffered", "Sent"), "seconds": _SOON},
    ),
    "report_forged": Fault(
        "A made-up report beside the true one: about an unknown id, with a made-up token in the path, or about this"
        " message with another application's token. ``url``: posted there instead.",
        {
            "kind": choice("unknown_id", "wrong_token", "other_account"),
            "status": choice("Failed", "Success", "Rejected"),
            "url": text(),
        },
    ),
    "report_garbage": Fault(
        "Something unreadable comes before the report.", {"kind": choice("empty", "no_id", "unknown_status", "binary")}
    ),
}
