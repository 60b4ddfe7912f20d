"""Text on the colour of a sign-in page."""

from __future__ import annotations

import itertools

import pytest

from rolecall.domain.directories.colours import contrast, is_colour, text_on


def test_contrast_is_that_of_the_specification() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_text_can_be_read_on_every_colour() -> None:
    """WCAG 2.1 1.4.3, level AA."""
    steps = range(0, 256, 15)
    for red, green, blue in itertools.product(steps, steps, steps):
        colour = f"#{red:02x}{green:02x}{blue:02x}"
        assert contrast(colour, text_on(colour)) >= 4.5, colour


@pytest.mark.parametrize(
    "text", ["", "red", "#fff", "#FFFFFF", "#12345g", "#123456;", "#1234567", "#123456\n"]
)
def test_nothing_else_is_a_colour(text: str) -> None:
    assert not is_colour(text)
