"""Pages on a slow line and a slow phone."""

from tests.browser.conftest import Opens
from tests.browser.costs import best, measure


def test_the_sign_in_form_is_small_and_soon_there(desk: Opens) -> None:
    cost = best(lambda: measure(desk(), "/sign-in", "button.main"), 1.5, 5)
    cost.within(kilobytes=120, first_paint=1.5)
    assert cost.requests >= 2, "the page and its style"
    assert cost.first_paint > 0.3, "two round trips at least: the line was slow indeed"
    assert 0.3 < cost.seen["button.main"] < 5, cost
