"""What names, numbers and addresses of users look like, and what is shown of them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.domain.directories.attributes import is_mail, is_phone, is_text, is_user_name, is_visible
from rolecall.domain.directories.masking import masked_card, masked_mail, masked_phone


@pytest.mark.parametrize(
    "name",
    [
        "ada",
        "张三",
        "שלום",
        "مرحبا",
        "👨‍👩‍👧",
        "👩🏽‍🚀",
        "🏴",
        "é",
        "e\u0301",
        "名\u3000字",
        "한글",
        "नमस्ते",
        "a b",
        "Ⅷ",
    ],
)
def test_names_of_any_script_are_names(name: str) -> None:
    assert is_user_name(name)


@pytest.mark.parametrize("name", ["", " a", "a ", "\u3000a", "x" * 129])
def test_names_are_neither_empty_nor_padded_nor_endless(name: str) -> None:
    assert not is_user_name(name)


@pytest.mark.parametrize(
    "hidden",
    [
        "\x00", "\n", "\x7f", "\x85", "\xa0", "\xad", "\u034f", "\u061c", "\u115f", "\u17b4", "\u200b",
        "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u2060",
        "\u2066", "\u2069", "\u2800", "\u3164", "\ufeff", "\uffa0", "\ufffe", "\uffff", "\ufdd0",
        "\ue000", "\ud800", "\U000e0041", "\U0010ffff", "\u2003",
    ],
)  # fmt: skip
def test_what_shows_nothing_or_turns_the_text_is_refused_wherever_it_stands(hidden: str) -> None:
    for text in (hidden, f"a{hidden}", f"{hidden}a", f"a{hidden}b"):
        assert not is_visible(text)


@pytest.mark.parametrize("text", ["👩\u200d", "\u200d👩", "👩\u200da", "a\u200d👩", "👩\u200d\u200d🚀"])
def test_a_joiner_stands_between_two_emoji_or_not_at_all(text: str) -> None:
    assert not is_visible(text)


@given(st.text(max_size=40))
def test_a_visible_text_has_no_control_and_no_format_character_but_joiners(text: str) -> None:
    if is_visible(text):
        kinds = {unicodedata.category(character) for character in text if character != "\u200d"}
        assert not kinds & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize(
    "phone", ["10086", "13800138000", "+86-13800138000", "+1 2025550123", "+8613800138000", "132****0000"]
)
def test_numbers_with_and_without_a_country(phone: str) -> None:
    assert is_phone(phone)


@pytest.mark.parametrize(
    "phone", ["", "1", "+", "+86-", "1380013800x", "13 800", "132***0000", "****0000", "132****", "١٢٣٤٥٦"]
)
def test_other_texts_are_no_numbers(phone: str) -> None:
    assert not is_phone(phone)


@pytest.mark.parametrize(
    "mail", ["a@b.cd", "a.b+c@x-y.z9.example", "ü@münchen.de", "132****@qq.com", "_@x.yz"]
)
def test_addresses(mail: str) -> None:
    assert is_mail(mail)


@pytest.mark.parametrize(
    "mail",
    ["", "a", "@b.cd", "a@b", "a@.cd", "a..b@x.yz", "a b@x.yz", 'a"b@x.yz', "a@x_y.z", "a@x.y-", "a@b.cd\n"],
)
def test_other_texts_are_no_addresses(mail: str) -> None:
    assert not is_mail(mail)


def test_texts_are_bounded_and_may_be_empty() -> None:
    assert is_text("")
    assert is_text("x" * 512)
    assert not is_text("x" * 513)


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+86-13812345678", "+86-138****5678"),
        ("+1 2025550123", "+1 202****0123"),
        ("+8613812345678", "+86****5678"),
        ("10086", "1****6"),
        ("123456789", "1****9"),
        ("1234567890", "123****7890"),
        ("132****0000", "132****0000"),
    ],
)
def test_the_middle_of_a_number_is_hidden(phone: str, shown: str) -> None:
    assert masked_phone(phone) == shown


@pytest.mark.parametrize(
    ("mail", "shown"),
    [
        ("13812345678@qq.com", "138****@qq.com"),
        ("abcd@x.com", "abc****@x.com"),
        ("abc@x.com", "a****@x.com"),
        ("a@x.com", "a****@x.com"),
        ("132****@qq.com", "132****@qq.com"),
    ],
)
def test_the_rest_of_an_addresss_name_is_hidden(mail: str, shown: str) -> None:
    assert masked_mail(mail) == shown


def test_the_middle_of_a_card_is_hidden() -> None:
    assert masked_card("123456789012345678") == "123****5678"
    assert masked_card("") == "****"


@given(st.text(st.characters(codec="ascii", categories=["Nd"]), min_size=5, max_size=15))
def test_no_number_is_shown_whole_and_masking_twice_is_masking_once(phone: str) -> None:
    shown = masked_phone(phone)
    assert phone not in shown
    assert masked_phone(shown) == shown
