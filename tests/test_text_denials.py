import pytest

from rag_geo.grounding import Evidence, check_negation
from rag_geo.records import Sentence
from rag_geo.text.denials import LANGUAGES, denies

PAIRS = {
    "de": ("Die Brücke wurde im Krieg nicht zerstört.", "Die Brücke wurde im Krieg zerstört."),
    "es": (
        "El puente de la ciudad no fue destruido en la guerra.",
        "El puente de la ciudad fue destruido entonces.",
    ),
    "fr": ("Le pont de la ville n'a jamais été détruit.", "Le pont de la ville a été détruit pendant la guerre."),
    "it": ("Il ponte della città non è stato distrutto.", "Il ponte della città è stato distrutto nella guerra."),
    "pt": ("A ponte da cidade não foi destruída na guerra.", "A ponte da cidade foi destruída na guerra."),
    "nl": (
        "De brug werd in die oorlog niet door het leger verwoest.",
        "De brug werd in die oorlog door het leger verwoest.",
    ),
    "ru": ("Мост через реку не был разрушен во время войны.", "Мост через реку был разрушен во время войны."),
    "ar": ("لم يدمر الجسر في المدينة خلال الحرب.", "دمر الجسر في المدينة خلال الحرب."),
    "zh": ("这座桥在战争中没有被毁。", "这座桥在战争中被毁了。"),
}
NO_DENIALS = {
    "de": "Nicht nur die Brücke, sondern auch der Hafen wurde zerstört.",
    "es": "No solo el puente fue destruido, también el puerto.",
    "fr": "Non seulement le pont a été détruit, mais le port aussi.",
    "it": "Non solo il ponte è stato distrutto, anche il porto.",
    "pt": "Não só a ponte foi destruída, também o porto.",
    "nl": "Niet alleen de brug is verwoest, ook de haven.",
    "ru": "Разрушен был не только мост, разрушен был и порт.",
    "zh": "不仅桥被毁了，港口也被毁了。",
    "ar": "ليس فقط الجسر دمر بل الميناء أيضا.",
}


def evidence(*texts):
    return Evidence(tuple(Sentence("a.md", 1, 0, len(text), text) for text in texts))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_sentence_denies_or_does_not(language):
    denied, affirmed = PAIRS[language]
    assert denies(denied, language)
    assert not denies(affirmed, language)
    assert not denies(NO_DENIALS[language], language)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_is_denied_in_another_language_proves_nothing_that_is_affirmed_and_the_other_way_round(language):
    denied, affirmed = PAIRS[language]
    for claim, text in ((denied, affirmed), (affirmed, denied)):
        failure = check_negation(claim, evidence(text))
        assert failure is not None
        assert failure.rung == "negation"
        assert check_negation(claim, evidence(claim)) is None


def test_only_the_nearest_sentence_must_not_deny_what_is_affirmed():
    denied, affirmed = PAIRS["de"]
    other = "Der Hafen wurde nie wieder aufgebaut, und niemand zahlte dafür."
    assert check_negation(affirmed, evidence(affirmed, other)) is None
    assert check_negation(affirmed, evidence(denied, other)) is not None
