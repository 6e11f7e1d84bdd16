"""Words of texts with spaces and of those without."""

import pytest

from domain_ner.annotations.words import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("東京で17台", ["東", "京", "で", "17", "台"]),
        ("Kafkaが落ちた。", ["Kafka", "が", "落", "ち", "た"]),
        ("ที่ทำน้ำ", ["ที่", "ทำ", "น้ำ"]),
        ("か\u3099く", ["か\u3099", "く"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("ຂໍ້ມູນ", ["ຂໍ້", "ມູ", "ນ"]),
        ("กขค abc_1", ["ก", "ข", "ค", "abc_1"]),
    ],
)
def test_characters_with_their_marks_are_words_in_scripts_without_spaces(text, words):
    assert split_words(text) == (words, True)


def test_elsewhere_words_are_runs_of_letters_and_digits():
    assert split_words("The pump-17 är не 오늘") == (["The", "pump", "17", "är", "не", "오늘"], False)
