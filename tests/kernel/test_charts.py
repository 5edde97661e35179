"""Series become shapes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from ispbilling.kernel import charts
from ispbilling.kernel.charts import Series


def test_bars_stand_on_the_floor_and_on_each_other() -> None:
    chart = charts.bars("Revenue", ["Mon"], [Series("M-Pesa", [60]), Series("Cash", [40])])
    assert chart.ticks == ["100", "80", "60", "40", "20", "0"]
    below, above = chart.bars
    assert (below.y, below.height) == ("100", "150")
    assert (above.y, above.height) == ("0", "100")


def test_each_bar_stays_inside_its_slot() -> None:
    chart = charts.bars("Revenue", ["Mon", "Tue"], [Series("", [1, 1])])
    assert [(bar.x, bar.width) for bar in chart.bars] == [("100", "300"), ("600", "300")]


def test_the_table_beside_says_every_number() -> None:
    chart = charts.bars(
        "R", ["Mon", "Tue"], [Series("Cash", [Decimal("1499.50"), None])], show=lambda one: f"KES {one}"
    )
    assert chart.rows == [("Mon", ["KES 1499.50"]), ("Tue", ["–"])]
    assert chart.bars[0].title == "Mon · Cash: KES 1499.50"


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (7, ["8", "6", "4", "2", "0"]),
        (274_000, ["300k", "200k", "100k", "0"]),
        (1_200_000, ["1.25M", "1M", "750k", "500k", "250k", "0"]),
        (0, ["1", "0.8", "0.6", "0.4", "0.2", "0"]),
    ],
)
def test_the_scale_is_of_round_numbers(highest: int, ticks: list[str]) -> None:
    assert charts.bars("R", ["Mon"], [Series("", [highest])]).ticks == ticks


def test_no_more_words_than_fit_stand_below() -> None:
    chart = charts.bars("R", [str(day) for day in range(30)], [Series("", [1] * 30)])
    assert [word for word in chart.slots if word] == ["0", "4", "8", "12", "16", "20", "24", "28"]
    assert len(chart.slots) == 30


def test_a_line_breaks_where_nothing_is_known() -> None:
    chart = charts.lines("Online", ["1", "2", "3", "4"], [Series("", [5, 5, None, 5])])
    assert chart.lines[0].path == "M125 0L375 0M875 0L875 0"


def test_a_range_far_from_zero_may_be_looked_at_alone() -> None:
    chart = charts.lines("Light", ["1", "2"], [Series("", [-28, -18])], from_zero=False)
    assert chart.ticks == ["-18", "-20", "-22", "-24", "-26", "-28"]


def test_series_get_colours_in_turn_and_tones_keep_theirs() -> None:
    chart = charts.bars("R", ["1"], [Series("a", [1]), Series("b", [1], tone="bad"), Series("c", [1])])
    assert [key.tone for key in chart.legend] == ["1", "bad", "3"]


def test_nothing_to_show_is_known_as_such() -> None:
    assert charts.bars("R", ["1", "2"], [Series("a", [0, None])]).is_empty
    assert charts.bars("R", [], []).is_empty


def test_a_series_that_is_too_short_is_a_bug() -> None:
    with pytest.raises(ValueError, match="'a' has 1 values for 2 labels"):
        charts.bars("R", ["1", "2"], [Series("a", [1])])


def test_a_spark_fills_its_height_and_a_flat_one_lies_in_the_middle() -> None:
    assert charts.spark([1, 3, 2]).path == "M0 26L50 2L100 14"
    assert charts.spark([4, 4]).path == "M0 14L100 14"
    assert charts.spark([]).path == ""


def test_shapes_are_written_alike_in_every_language() -> None:
    with translation.override("bn"):
        assert charts.bars("R", ["1"], [Series("", [Decimal("0.5")])]).bars[0].height == "250"
