"""What the style guide shows: invented, so that each component stands there in each of its states."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.staticfiles import finders

from ispbilling.kernel import charts, report_charts
from ispbilling.kernel.charts import Series

COLOURS = (
    *(
        "canvas",
        "surface",
        "raised",
        "border",
        "control-border",
        "text",
        "muted",
        "primary",
        "ok",
        "warn",
        "bad",
        "info",
    ),
    *(f"series-{at}" for at in range(1, charts.COLOURS + 1)),
)
TONES = ("ok", "warn", "bad", "info", "muted", "primary")


NOW = datetime(2026, 11, 24, 15, 5, tzinfo=UTC)  # always the same, so that the page is


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name", max_length=40, help_text="As it stands on the invoice.")
    email = forms.EmailField(label="E-mail", required=False)
    amount = forms.DecimalField(label="Amount", decimal_places=2, required=False)
    day = forms.DateField(label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    package = forms.ChoiceField(label="Package", choices=[("10", "Home 10"), ("20", "Family 20")])
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    method = forms.ChoiceField(
        label="Method", required=False, widget=forms.RadioSelect, choices=[("mpesa", "M-Pesa"), ("cash", "Cash")]
    )
    days = forms.MultipleChoiceField(
        label="Days",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("sat", "Saturday"), ("sun", "Sunday")],
    )
    told = forms.BooleanField(label="Tell the customer", required=False)
    paper = forms.FileField(label="Paper", required=False)


class SampleFilters(forms.Form):
    """What a list may be narrowed by."""

    q = forms.CharField(label="Find", required=False)
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), ("active", "Active")])


@cache
def _icons() -> list[str]:
    """The names of the sprite's icons."""
    found = finders.find("img/icons.svg")
    return re.findall(r'<symbol id="([^"]+)"', Path(found).read_text()) if found else []


def everything() -> dict[str, Any]:
    """The context of the style guide."""
    days = [f"{day}/11" for day in range(1, 31)]
    mpesa = [round(90_000 + 40_000 * math.sin(at / 3) + 1_500 * at) for at in range(30)]
    cash = [round(20_000 + 9_000 * math.cos(at / 2)) for at in range(30)]
    online = [round(800 + 200 * math.sin(at / 5)) if at not in (11, 12) else None for at in range(30)]
    times = [NOW - timedelta(seconds=2 * back) for back in range(120, -1, -1)]
    return {
        "tones": TONES,
        "colours": COLOURS,
        "icons": _icons(),
        "filters": SampleFilters(),
        "views": [
            {"url": "?", "label": "All", "active": True},
            {"url": "?state=active", "label": "Active", "active": False},
        ],
        "tabs": [
            {"url": "#tabs", "label": "Overview", "active": True, "count": 0},
            {"url": "#tabs", "label": "Invoices", "active": False, "count": 12},
            {"url": "#tabs", "label": "Messages", "active": False, "count": 0},
        ],
        "rising": charts.spark([3, 4, 4, 6, 5, 7, 9, 8, 11], tone="ok"),
        "bars": charts.bars("Revenue, last 30 days", days, [Series("M-Pesa", mpesa), Series("Cash", cash)]),
        "lines": charts.lines("Online, last 30 days", days, [Series("Online", online, tone="ok")]),
        "trend": report_charts.trend(
            "Revenue, last 60 days",
            "Day",
            [f"{day}/10" for day in range(1, 32)] + [f"{day}/11" for day in range(1, 30)],
            [Series("M-Pesa", (mpesa * 2)[:60]), Series("Cash", (cash * 2)[:60])],
            unit="KES",
        ),
        "heat": report_charts.heat(
            "Online by hour of the week",
            "Day",
            ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
            [f"{hour:02d}" for hour in range(24)],
            [[round(500 - 300 * math.cos((hour - 4) / 3.82) + 20 * day) for hour in range(24)] for day in range(7)],
        ),
        "live": charts.live(
            "Bandwidth",
            times,
            [
                Series("Down", [round(600 + 90 * math.sin(at / 9), 1) for at in range(121)]),
                Series("Up", [round(180 + 40 * math.cos(at / 7), 1) for at in range(121)]),
            ],
            zone=ZoneInfo("UTC"),
            unit="Mbps",
        ),
        "story": [
            {"at": NOW, "icon": "cash-banknote", "tone": "ok", "title": "Paid KES 1,499.00", "text": "by M-Pesa"},
            {"at": NOW - timedelta(minutes=4), "icon": "wifi-off", "tone": "bad", "title": "Cut", "url": "#timeline"},
            {"at": NOW - timedelta(days=1), "title": "Reminded", "text": "Nothing but the time and a title is needed."},
        ],
    }
