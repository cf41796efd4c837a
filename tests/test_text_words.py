import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.text.words import query_terms, terms


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "die Verträge der Städte", "der Vertrag einer Stadt"),
        ("es", "las informaciones que publicaron", "la información publicada"),
        ("fr", "les élections nationales", "une élection nationale"),
        ("it", "le città e i lavoratori", "la città del lavoratore"),
        ("pt", "as casas e os trabalhos", "a casa do trabalho"),
        ("nl", "de boeken en de huizen", "een boek zonder huis"),
        ("ru", "заводы и мосты", "завода у моста"),
        ("ar", "المدرسون في المدرسة", "مدرسون من مدرسة"),
    ],
)
def test_the_forms_of_a_word_are_one_term_and_function_words_are_none(language, one, other):
    assert terms([one], language) == terms([other], language)
    assert len(terms([one], language)[0]) == 2


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("ar", "مُدَرِّسٌ", "مدرس"),
        ("ar", "كتـــاب", "كتاب"),
        ("ar", "أحمد", "احمد"),
        ("ar", "٢٠٢٠", "2020"),
        ("ru", "Пётр", "Петр"),
        ("de", "ÜBUNG", "Übung"),
        ("de", "Straße", "strasse"),
        ("es", "Perú", "PERU"),
        ("el", "Αθήνα", "αθηνα"),
    ],
)
def test_spellings_of_a_word_are_one_term(language, one, other):
    assert terms([one], language) == terms([other], language) != [[]]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "1.234.567,89 Euro", ["1234567.89", "euro"]),
        ("de", "Es waren 3.500. Am 31.12.1998", ["3500", "31.12.1998"]),
        ("fr", "3 500 € et 2,5 %", ["3500", "2.5"]),
        ("ru", "15\u00a0000 и 1990-х", ["15000", "1990", "х"]),
        ("zh", "1,500", ["1500"]),
        ("es", "EE. UU. y EE.UU.", ["ee", "uu", "ee", "uu"]),
    ],
)
def test_numbers_are_read_as_the_language_writes_them(language, text, expected):
    assert terms([text], language) == [expected]


def test_chinese_is_matched_by_characters_and_pairs_without_function_characters():
    assert terms(["桥的长度"], "zh") == [["桥", "长", "度", "桥的", "的长", "长度"]]
    assert terms(["1998年"], "zh") == [["1998", "年"]]


def test_japanese_is_matched_by_characters_and_pairs_of_any_of_its_scripts():
    assert terms(["橋です"], "ja") == [["橋", "橋で", "です"]]


def test_korean_is_matched_by_words_and_pairs():
    assert terms(["예산을"], "ko") == [["예산을", "예산", "산을"]]


def test_vowel_signs_do_not_take_words_apart():
    assert terms(["परिषद ने बजट"], "hi") == [["परिषद", "ने", "बजट"]]


@pytest.mark.parametrize("language", ["zh", "ru", "ar", "ko"])
def test_english_names_in_texts_of_another_script_are_read_as_in_english_texts(language):
    assert terms(["the Panthers, Chinese"], language) == terms(["the Panthers, Chinese"])


@pytest.mark.parametrize("language", ["", "en", "xx", "sv"])
def test_a_language_without_rules_is_read_as_english(language):
    text = "The prices of 1,500 pipelines, naïve Chinese; 天然气"
    assert terms([text], language) == terms([text])


def test_marks_without_a_letter_are_no_term():
    assert terms(["\u0610-\u061a of \u0640"], "de") == [["of"]]


def test_a_function_word_in_capitals_is_kept():
    assert terms(["IN DER STADT ist WER zuständig"], "de") == [["in", "der", "stadt", "wer", "zustand"]]


LANGUAGES = ["", "en", "de", "es", "fr", "it", "pt", "nl", "ru", "uk", "ar", "fa", "zh", "ja", "ko", "hi", "el", "th"]


@given(st.text(), st.sampled_from(LANGUAGES))
def test_any_text_has_terms_that_are_not_empty(text, language):
    (found,) = terms([text], language)
    assert all(found)
    assert found == terms([text], language)[0]


def test_stemmers_may_be_used_by_several_threads():
    text = " ".join(f"Verträge{n}en Städte{n}" for n in range(2_000))
    expected = terms([text], "de")
    found = []
    threads = [threading.Thread(target=lambda: found.append(terms([text], "de"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_a_question_in_a_language_of_the_texts_is_read_in_it():
    question = "Wie viele Brücken hat die Stadt?"
    assert query_terms(question, ["en", "de"]) == terms([question], "de")[0]
    assert query_terms(question, ["de"]) == terms([question], "de")[0]


def test_a_question_in_no_language_of_the_texts_or_in_none_is_read_in_all_with_its_script():
    assert query_terms("Verträge", ["en", "de"]) == ["vertrag"]
    assert query_terms("Brücken", ["en", "de", "ru", "zh"]) == ["brucken", "bruck"]
    assert query_terms("Брюкнер", ["en", "ru"]) == ["брюкнер"]
    question = "Wie viele Brücken hat die Stadt?"
    assert query_terms(question, ["en"]) == list(dict.fromkeys(terms([question])[0]))
    assert query_terms("Chinese bridges", []) == query_terms("Chinese bridges", [""]) == ["china", "bridg"]


def test_a_word_said_twice_in_a_question_is_one_term():
    assert query_terms("gas and more gas prices", ["en"]) == ["gas", "price"]
