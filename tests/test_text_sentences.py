import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.records import Span
from rag_geo.text.folding import find_hidden
from rag_geo.text.sentences import LIMIT, item_start, line_breaks, list_breaks, sentence_spans


def split(text, **how):
    return [text[start:end] for start, end in sentence_spans(text, **how)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["The U.S. Military said so.", "He left."],
        ["The U.N. Security Council met Mr. Smith and Dr. Jones at 3 p.m. on Tuesday.", "It ended."],
        ["Jeff Hawn is a Ph.D. candidate.", "St. Petersburg is big."],
        ["It cost $5.7 billion.", "Trade grew by 3.5 per cent."],
        ["“They won’t.”", "He said “Stop!” and left."],
        ["Wait... what?", "J. R. R. Tolkien wrote it."],
        ["See https://ex.am/ple.html?x=1.", "Then it ended!"],
        ["(He knew.)", "St. Petersburg is far."],
        ["The gap between Sino-U. S. Military capabilities is small.", "Next."],
        ["In the XXth century. first century.", "New."],
        ["Gen. Mark Milley and Sen. Cruz vs. Rep. Lee.", "In Jan. 2020 it rained."],
        ["中国很大！", "是吗？", "是的。"],
        ["Это г. Москва.", "Там живет И. И. Иванов."],
    ],
)
def test_sentences_end_where_a_reader_says_they_end(sentences):
    text = "".join(sentences) if "中" in sentences[0] else " ".join(sentences)
    assert split(text) == sentences


BY_LANGUAGE = [
    ("de", ["Das Werk liefert z. B. Schrauben, d. h. kleine Teile.", "Es wurde am 1. Januar 1998 eröffnet."]),
    ("de", ["Der Vertrag gilt nach Abs. 2 Nr. 7 auch für Prof. Dr. Klein und Hr. Vogt.", "Er endet am 31. Dezember."]),
    ("de", ["Im 19. Jahrhundert regierte Friedrich II. in der Stadt.", "Später kam Karl V. nach Wien."]),
    ("de", ["Der 2. Weltkrieg und das 3. und 4. Kapitel folgen.", "Die Klasse besteht aus der 5. Gruppe."]),
    ("de", ["„Wir kommen nicht.“", "Sie sagte: „Geht jetzt!“ und schwieg."]),
    ("de", ["Sie handelt mit Schrauben, Muttern usw.", "Die Firma wuchs.", "1998 zog sie um."]),
    ("es", ["¿Quién firmó el contrato?", "¡Nadie lo sabe!", "El Sr. Gómez y la Dra. Ruiz viven en la Av. Central."]),
    (
        "es",
        ["Cuesta 3.500 euros, p. ej. en EE. UU. y Perú.", "Llegó al río St. Johns.", "Véase la pág. 7."],
    ),
    ("es", ["Vendían clavos, tornillos, etc.", "La empresa creció.", "El alcalde W. Burns la visitó."]),
    ("ru", ["В 1998 г. завод выпустил 15 тыс. тонн стали, т. е. вдвое больше.", "Его строил А. С. Петров."]),
    ("ru", ["Он живёт в г. Казань на ул. Садовой, д. 5.", "Бюджет составил 3 млрд. рублей.", "См. рис. 4."]),
    ("ru", ["Там продают гвозди, болты и т. д.", "Это было в XIX в.", "Он назначил Уильяма Э. Саймона."]),
    ("zh", ["这座桥建于1998年。", "1999年它被关闭。", "谁设计了它？", "没有人知道！"]),
    ("zh", ["他说：“走吧！快走！”", "（详见附录。）", "价格为2.5美元。", "《谁？》很有名。"]),
    ("zh", ["“我们不来。”他说。", "她没有回答。"]),
    ("ja", ["この橋は1998年に建てられた。", "誰が設計したのか？", "「来ません。」と彼は言った。"]),
    ("ar", ["بُني الجسر سنة 1998.", "من صممه؟", "لا أحد يعرف!", "قال د. أحمد إن المشروع كلّف 3.5 مليون دولار."]),
    ("ar", ["كانت المدينة بحرًا.", "ثم جفّت."]),
    ("ur", ["یہ پل 1998 میں بنا۔", "اسے کس نے بنایا؟"]),
    (
        "fr",
        ["M. Martin et Mme Petit ont signé le contrat, p. ex. à Lyon.", "Combien coûte-t-il ?", "Voir l'art. 12."],
    ),
    ("it", ["Il sig. Rossi e la dott.ssa Bianchi abitano in via Roma, n. 5.", "Quando è arrivato?", "Vende viti ecc."]),
    ("pt", ["O Sr. Silva mora na Av. Central, n.º 5.", "Quando chegou?", "Custou 3.500 reais, p. ex. em 1998."]),
    ("nl", ["Dhr. Jansen en mevr. De Vries wonen o.a. in Utrecht.", "Het kostte ca. 3,5 mln. euro, d.w.z. te veel."]),
]


@pytest.mark.parametrize(("language", "sentences"), BY_LANGUAGE)
def test_sentences_end_by_the_rules_of_their_language(language, sentences):
    text = ("" if language in ("zh", "ja") else " ").join(sentences)
    assert split(text, language=language) == sentences


@pytest.mark.parametrize("language", ["", "en", "de", "ru"])
def test_a_paragraph_in_another_script_is_read_by_the_rules_of_that_script(language):
    assert split("Он живёт в г. Казань.Там тихо? Да.", language=language)[-1] == "Да."
    assert split("谁设计了它？没有人知道。1999年它被关闭。", language=language)[-1] == "1999年它被关闭。"
    assert split("The U.S. Military told Mr. Smith so.", language="ru") == ["The U.S. Military told Mr. Smith so."]


def test_a_full_stop_before_a_comma_ends_nothing_in_any_language():
    assert len(split("Компания Merit Network, Inc., создана в Мичигане.", language="ru")) == 1


def test_a_mark_that_stands_alone_belongs_to_the_sentence_before():
    assert split("Now what? -- \n” Yes.")[0].startswith("Now what?")
    assert split("One. --") == ["One. --"]


def test_a_certain_break_ends_a_sentence_without_a_full_stop():
    text = "- one\n- two\n  goes on\n1. three"
    span = Span(0, len(text))
    assert split(text, breaks=list_breaks(text, span)) == ["- one", "- two\n  goes on", "1. three"]
    assert len(split(text, breaks=line_breaks(text, span))) == 4
    assert [item_start(text, at, len(text)) for at in (0, 2)] == [2, 2]


def test_hidden_characters_neither_split_nor_begin_a_sentence():
    text = "One wo\u200brd. <!-- Hidden. Yes. -->\u200bTwo."
    hidden = (Span(6, 7), Span(11, text.index("Two")))
    assert split(text, hidden=hidden) == ["One wo\u200brd.", "Two."]


def test_a_sentence_over_the_limit_is_cut_at_a_clause_or_else_a_space():
    clauses = "some words of it, and " * 100
    pieces = split(clauses)
    assert all(len(piece) <= LIMIT for piece in pieces)
    assert all(piece.endswith(",") for piece in pieces[:-1])
    assert all(piece.split()[0] == "word" for piece in split("word " * 1000))
    assert [len(piece) for piece in split("x" * 2500)] == [1000, 1000, 500]


def test_a_long_paragraph_is_split_as_its_sentences_are():
    sentences = [f"The U.S. Military told Mr. Smith so {'very ' * (n % 90)}{n} times." for n in range(300)]
    assert split(" ".join(sentences)) == sentences


def test_lone_surrogates_do_no_harm():
    assert split("One \ud800 two. Three.") == ["One \ud800 two.", "Three."]


@pytest.mark.parametrize(
    ("piece", "language"),
    [
        *((piece, "") for piece in ["a", "Ein Wort und ", "(", "a. ", "x, ", "1.5 ", "<!--", "“a ", "!"]),
        ("usw. Die ", "de"),
        ("1. ", "de"),
        ("И. ", "ru"),
        ("（", "zh"),
        ("。", "zh"),
        ("“他说。”", "zh"),
        ("د. ", "ar"),
    ],
)
def test_time_is_linear_in_a_line_without_end(piece, language):
    def seconds(size):
        start = time.process_time()
        sentence_spans(piece * (size // len(piece)), language=language)
        return time.process_time() - start

    seconds(1000)
    small = min(seconds(50_000) for _ in range(2))
    assert seconds(400_000) < 30 * max(small, 0.002)


PIECES = st.sampled_from(
    [
        "U.S. ",
        "Mr. ",
        "a",
        "Word ",
        "5.7 ",
        ". ",
        "? ",
        "!”",
        "(",
        ") ",
        "\n",
        "…",
        "。",
        "\u200b",
        "\r\n",
        "é ",
        "x" * 300,
        "- ",
        "（",
        "」",
        "“",
        "他说",
        "Он в г. ",
        "der 2. ",
        "د. ",
        "¿",
        "usw. Die ",
        "2009 ",
    ]
)


LANGUAGES = ["", "en", "de", "es", "fr", "it", "pt", "nl", "ru", "uk", "ar", "fa", "zh", "ja", "ko", "hi", "el", "xx"]


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)), st.sampled_from(LANGUAGES))
def test_sentences_are_ordered_disjoint_and_hold_every_visible_character(text, language):
    hidden, _ = find_hidden(text)
    spans = sentence_spans(text, hidden=hidden, language=language)
    hidden_at = {at for start, end in hidden for at in range(start, end)}
    held = {at for start, end in spans for at in range(start, end)}
    assert all(at in held for at in range(len(text)) if not text[at].isspace() and at not in hidden_at)
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))
    for start, end in spans:
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        assert start not in hidden_at
        assert end - 1 not in hidden_at
    assert spans == sentence_spans(text, hidden=hidden, language=language)
