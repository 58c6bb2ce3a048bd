"""What usage costs."""

from decimal import Decimal

from lsd.config import CostEntry


def test_a_rate_is_per_unit_or_per_million() -> None:
    """Either way the rate of one unit is exact."""
    per_million = CostEntry(pointer="/a", cost_per_million=Decimal("0.15"))
    per_unit = CostEntry(pointer="/a", cost_per_unit=Decimal("-0.01"))

    assert per_million.dollars_per_unit == Decimal("0.00000015")
    assert per_unit.dollars_per_unit == Decimal("-0.01")


def test_a_stream_may_have_its_figure_elsewhere() -> None:
    """One pointer serves both unless there are two."""
    one = CostEntry(pointer="/a", cost_per_unit=Decimal(1))
    two = CostEntry(pointer_nonstreaming="/a", pointer_streaming="/b", cost_per_unit=Decimal(1))

    assert [one.pointer_for(streaming=each) for each in (False, True)] == ["/a", "/a"]
    assert [two.pointer_for(streaming=each) for each in (False, True)] == ["/a", "/b"]
