from __future__ import annotations

import re
from string import Formatter

import pytest

from gateway.errors import GatewayError
from gateway.languages import LANGUAGES, preferred


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_language_has_every_sentence() -> None:
    assert set(LANGUAGES) == {"en", "ja"}
    for language in LANGUAGES.values():
        assert set(language.sentences) == set(LANGUAGES["en"].sentences)


def test_a_translation_leaves_no_other_blanks_than_the_original() -> None:
    pixels = {
        "max_megapixels": "pixels",
        "max_ten_thousand_pixels": "pixels",
    }  # counted in 10,000s in Japanese
    for key, sentence in LANGUAGES["ja"].sentences.items():
        original = LANGUAGES["en"].sentences[key]
        assert {pixels.get(b, b) for b in blanks(sentence)} == {pixels.get(b, b) for b in blanks(original)}


def test_japanese_is_japanese() -> None:
    kept = {"name", "docs", "duplicates.bytes"}
    for key, sentence in LANGUAGES["ja"].sentences.items():
        assert key in kept or re.search(r"[ぁ-んァ-ヶ一-龯]", sentence), key


def test_every_error_has_its_words() -> None:
    for cause in GatewayError.__subclasses__():
        for part in ("title", "detail"):
            assert LANGUAGES["en"].has(f"error.{cause.code}.{part}")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("JA-jp", "ja"),
        ("de, ja;q=0.1", "ja"),
        ("en;q=0.2, ja;q=0.3", "ja"),
        ("ja;q=0, de", "en"),
        ("ja;q=much", "en"),
        ("*", "en"),
        (",;,q=;=", "en"),
        ("jaw", "en"),
    ],
)
def test_the_known_language_of_the_highest_weight_is_taken(header: str, code: str) -> None:
    assert preferred(header).code == code


def test_numbers_have_their_form() -> None:
    english = LANGUAGES["en"]
    assert english.count("index.photos", 1) == "1 photo"
    assert english.count("index.photos", 0) == "0 photos"
    assert english.count("index.photos", 12345) == "12,345 photos"
    assert LANGUAGES["ja"].count("index.photos", 12345) == "12,345枚の写真"
