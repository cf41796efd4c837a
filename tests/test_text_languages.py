import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.text.languages import STOP_WORDS, language_of, language_within

TEXTS = {
    "en": "The council approved the budget in March, but the town has not yet paid for the work.",
    "de": "Der Rat hat den Haushalt im März beschlossen, aber die Stadt hat die Arbeiten noch nicht bezahlt.",
    "es": "El consejo aprobó el presupuesto en marzo, pero el municipio todavía no ha pagado las obras.",
    "fr": "Le conseil a voté le budget en mars, mais la mairie n'a pas encore payé les travaux.",
    "it": "Il consiglio ha approvato il bilancio a marzo, ma il comune non ha ancora pagato i lavori.",
    "pt": "O conselho aprovou o orçamento em março, mas a câmara ainda não pagou as obras.",
    "nl": "De raad keurde de begroting in maart goed, maar de gemeente heeft het werk nog niet betaald.",
    "ru": "Совет утвердил бюджет в марте, но город ещё не оплатил работы, которые были выполнены.",
    "uk": "Рада схвалила бюджет у березні, але місто ще не заплатило за роботи.",
    "bg": "Съветът прие бюджета през март, но общината още не е платила за това, което са направили.",
    "sr": "Веће је усвојило буџет у марту, али општина још није платила радове.",
    "ar": "وافق المجلس على الميزانية في مارس، لكن المدينة لم تدفع ثمن الأعمال بعد.",
    "fa": "شورا بودجه را در ماه مارس تصویب کرد، اما شهرداری هنوز پول کار را نپرداخته است.",
    "ur": "کونسل نے مارچ میں بجٹ منظور کیا، لیکن شہر نے ابھی تک ادائیگی نہیں کی۔",
    "zh": "市议会三月批准了预算，但市政府尚未支付工程款。",
    "ja": "議会は三月に予算を承認したが、市はまだ支払っていない。",
    "ko": "의회는 3월에 예산을 승인했지만 시는 아직 대금을 지급하지 않았다.",
    "el": "Το συμβούλιο ενέκρινε τον προϋπολογισμό τον Μάρτιο.",
    "he": "המועצה אישרה את התקציב במרץ.",
    "hi": "परिषद ने मार्च में बजट पारित किया।",
    "th": "สภาอนุมัติงบประมาณในเดือนมีนาคม",
}
QUESTIONS = [
    ("en", "How many people live in the city?"),
    ("de", "Wie viele Einwohner hat die Stadt?"),
    ("es", "¿Cuántos habitantes tiene la ciudad?"),
    ("fr", "Combien d'habitants compte la ville ?"),
    ("it", "Quanti abitanti ha la città?"),
    ("pt", "Quantos habitantes tem a cidade?"),
    ("nl", "Hoeveel inwoners heeft de stad?"),
    ("ru", "Кто построил мост?"),
    ("zh", "谁建了这座桥？"),
    ("ar", "من بنى الجسر؟"),
]


@pytest.mark.parametrize(("language", "text"), [*TEXTS.items(), *QUESTIONS])
def test_a_text_or_question_is_in_its_language(language, text):
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 34 %",
        "OK",
        "Panthers, Denver, Carolina",
        "was in",
        "Styrelsen godkände budgeten i mars, men kommunen har ännu inte betalat för arbetet som gjordes.",
        "Rada zatwierdziła budżet w marcu, ale gmina nie zapłaciła jeszcze za prace.",
    ],
)
def test_what_is_unclear_or_in_a_language_without_a_list_has_none(text):
    assert language_of(text) == ""


def test_the_names_in_a_text_do_not_make_its_language():
    names = "Los Angeles Lakers, Los Angeles Clippers, Los Angeles Galaxy, Los Altos, Los Gatos, Los Feliz"
    assert language_of(f"The {names} and others in the league of the state.") == "en"
    assert language_of(f"Teams: the {names} and the Sharks.") == ""


def test_a_text_in_two_languages_is_in_that_of_its_larger_part():
    assert language_of(f"{TEXTS['de']} {TEXTS['de']} {TEXTS['de']} {TEXTS['en']}") == "de"
    assert language_of(f"{TEXTS['zh']} Panthers (NFL)") == "zh"


def test_only_samples_of_a_long_text_are_looked_at():
    book = "\n".join([TEXTS["ru"]] * 50_000)
    assert language_of(book) == "ru"
    assert language_of(TEXTS["en"] + book) == "ru"


@given(st.text())
def test_any_text_has_a_code_or_none(text):
    assert len(language_of(text)) in (0, 2)


def test_the_function_words_are_those_of_texts_in_lower_case():
    for language, words in STOP_WORDS.items():
        assert len(words) >= (30 if language == "zh" else 100), language
        assert all(word == word.lower() and word.isalpha() for word in words), language


def test_function_words_tell_every_two_languages_apart():
    for one, other in itertools.combinations(("en", "de", "es", "fr", "it", "pt", "nl"), 2):
        assert len(STOP_WORDS[one] & STOP_WORDS[other]) < 0.4 * len(STOP_WORDS[one]), (one, other)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Plain words", "de", "de"),
        ("1998", "ru", "ru"),
        ("Слова", "de", "ru"),
        ("Слова", "uk", "uk"),
        ("Words", "ru", ""),
        ("東京", "ja", "ja"),
        ("这座桥", "en", "zh"),
        ("کیا", "ur", "ur"),
    ],
)
def test_a_stretch_in_another_script_is_in_another_language(text, language, expected):
    assert language_within(text, language) == expected
