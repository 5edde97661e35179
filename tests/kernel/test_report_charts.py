"""Trends and heat maps as shapes for the script, and the tables beside them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ispbilling.kernel.charts import Series
from ispbilling.kernel.report_charts import heat, trend


def test_a_trend_says_the_same_to_the_script_and_in_its_table() -> None:
    report = trend(
        "Money",
        "Day",
        ["1 Nov", "2 Nov"],
        [Series("M-Pesa", [Decimal("1499.50"), 0]), Series("Cash", [None, 20], tone="ok")],
        unit="KES",
        digits=2,
    )
    told = json.loads(json.dumps(report.data))
    assert told["series"] == [
        {"name": "M-Pesa", "tone": "1", "values": [1499.5, 0.0]},
        {"name": "Cash", "tone": "ok", "values": [None, 20.0]},
    ]
    assert (told["kind"], told["labels"], told["unit"], told["digits"]) == ("bars", ["1 Nov", "2 Nov"], "KES", 2)
    assert report.head == ["M-Pesa", "Cash"]
    assert report.rows == [("1 Nov", ["1,499.50", "–"]), ("2 Nov", ["0", "20"])]
    assert not report.is_empty


def test_a_trend_of_nothing_is_empty() -> None:
    assert trend("Money", "Day", ["1 Nov"], [Series("Cash", [0])]).is_empty
    assert trend("Money", "Day", ["1 Nov"], []).is_empty


def test_a_trend_wants_a_number_for_each_label() -> None:
    with pytest.raises(ValueError, match="Cash"):
        trend("Money", "Day", ["1 Nov", "2 Nov"], [Series("Cash", [1])])


def test_a_heat_map_leaves_out_what_is_not_known() -> None:
    report = heat("Online", "Day", ["Mon", "Tue"], ["00", "01"], [[1, None], [0, 3]])
    assert report.data["cells"] == [[0, 0, 1.0], [0, 1, 0.0], [1, 1, 3.0]]
    assert report.rows == [("Mon", ["1", "–"]), ("Tue", ["0", "3"])]
    assert not report.is_empty
    assert heat("Online", "Day", ["Mon"], ["00"], [[0]]).is_empty


@pytest.mark.parametrize("values", [[[1, 2]], [[1, 2], [3]]])
def test_a_heat_map_wants_a_whole_field(values: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="2 × 2"):
        heat("Online", "Day", ["Mon", "Tue"], ["00", "01"], values)
