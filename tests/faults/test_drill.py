"""The power goes in the middle of a busy minute."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.drill import drill
from tests.faults.turns import day


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("faults")
def test_after_a_power_cut_with_a_wrong_clock_everything_becomes_right_by_itself(django_db_blocker: Any) -> None:
    assert drill(seeds=[day()], blocker=django_db_blocker, at_s=6 + day() % 10) == []
