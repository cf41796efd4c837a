from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_geo.errors import UsageError
from rag_geo.index import Index, update_index
from rag_geo.records import Filters, Hit, Sentence, Span
from rag_geo.retrieval import choose_context, embed_query, search
from rag_geo.settings import RetrievalSettings
from rag_geo.testing import HashEmbedder

FILES = {
    "gas.md": "---\ntitle: Gas in Europe\nauthor: Ann Lee\ndate: 2021-06-20\n---\n\n# Prices\n\n"
    "Russia sold cheap gas to Germany. It arrived by pipeline.\n\nNobody spoke of storage. The winter was mild.\n",
    "oil.md": "---\ntitle: Oil\nauthor: Bo Chen\ndate: 2022\n---\n\n"
    "Chinese refineries bought crude oil. They paid in yuan.\n\nTankers waited off the coast.\n",
    "old/coal.md": "---\ntitle: Coal\nauthor: Ann Lee and Cy Roe\ndate: 2019-01\n---\n\n"
    "Coal was burnt in old power stations. They closed later.\n",
    "undated.txt": "Wind turbines turned on the hills. Nobody counted them.\n",
}
EMBEDDER = HashEmbedder(dimension=256)


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Index:
    folder = tmp_path_factory.mktemp("documents")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    path = tmp_path_factory.mktemp("index")
    update_index(folder, path, EMBEDDER)
    return Index.open(path, EMBEDDER)


def find(index, query, filters=None, **changed):
    vector = embed_query(EMBEDDER, query)
    return search(index, query, vector, replace(RetrievalSettings(), **changed), filters or Filters())


def files(hits) -> list[str]:
    return list(dict.fromkeys(hit.file for hit in hits))


@pytest.mark.parametrize(
    ("query", "file", "sentence"),
    [
        ("Who sold gas to Germany?", "gas.md", "Russia sold cheap gas to Germany."),
        ("What did China buy?", "oil.md", "Chinese refineries bought crude oil."),
        ("wind turbines", "undated.txt", "Wind turbines turned on the hills."),
        ("Where were the tankers?", "oil.md", "Tankers waited off the coast."),
    ],
)
def test_the_paragraph_that_says_it_is_first(index, query, file, sentence):
    for hit in (find(index, query)[0], search(index, query, None)[0]):
        assert hit.file == file
        assert sentence in [one.text for one in hit.sentences]


def test_a_hit_carries_its_place_and_signals(index):
    hit = find(index, "Who sold gas to Germany?")[0]
    text = index.document("gas.md").text
    assert (hit.title, hit.heading) == ("Gas in Europe", "Prices")
    assert text[hit.start : hit.end].startswith("Russia sold")
    assert hit.start <= hit.window.start < hit.window.end <= hit.end
    assert [text[s.start : s.end] for s in hit.sentences] == [s.text for s in hit.sentences]
    assert 0 < hit.similarity <= 1
    assert hit.lexical > 0
    assert len(hit.sentence_similarities) == len(hit.sentences)
    assert max(hit.sentence_similarities) == pytest.approx(hit.similarity)


def test_hits_are_in_the_order_of_their_score_and_no_more_than_asked_for(index):
    hits = find(index, "gas oil coal wind", paragraphs=3)
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(find(index, "gas", paragraphs=100)) == len(index.rows.paragraph_number)


def test_only_the_best_documents_are_looked_into(index):
    assert files(find(index, "Who sold gas to Germany?", documents=1, paragraphs=100)) == ["gas.md"]


def test_equal_paragraphs_are_in_the_order_of_the_files(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for name in ("c", "a", "b"):
        paragraph = "The same words. Again and again.\n\n"
        (folder / f"{name}.txt").write_text(f"{paragraph}{paragraph}{name}\n")
    update_index(folder, tmp_path / "index", EMBEDDER)
    hits = find(Index.open(tmp_path / "index"), "the same words", paragraphs=6)
    assert [(hit.file, hit.paragraph) for hit in hits] == [(f"{n}.txt", p) for n in "abc" for p in (1, 2)]


@pytest.mark.parametrize("query", ["", " ", "\n\t\u2003"])
def test_an_empty_query_is_refused(index, query):
    for action in (lambda: embed_query(EMBEDDER, query), lambda: search(index, query, None)):
        with pytest.raises(UsageError, match="empty"):
            action()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(exclude_categories=()), min_size=1).filter(str.strip))
def test_any_other_query_is_answered(index, query):
    hits = find(index, query)
    assert len(hits) == RetrievalSettings().paragraphs
    assert all(np.isfinite([hit.score, hit.similarity, hit.lexical, hit.document_score]).all() for hit in hits)
    choose_context(hits, query, EMBEDDER.count_tokens, 50)


@pytest.mark.parametrize("query", ["谁是小伙伴？", "gas " * 50_000, "\x00", "\ud800", "???", "<|im_end|>", "' OR 1=1"])
def test_strange_queries_find_something(index, query):
    assert find(index, query)


def test_words_that_are_nowhere_find_nothing_by_words(index):
    assert search(index, "zeppelin", None) == ()
    assert find(index, "zeppelin")


def test_an_index_with_nothing_in_it_finds_nothing(tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "heading.md").write_text("# Only a heading\n")
    update_index(tmp_path / "documents", tmp_path / "index", EMBEDDER)
    empty = Index.open(tmp_path / "index", EMBEDDER)
    assert find(empty, "heading") == search(empty, "heading", None) == ()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"gas.md", "oil.md", "old/coal.md", "undated.txt"}),
        (Filters(after="2021"), {"gas.md", "oil.md"}),
        (Filters(after="2021-06-20"), {"gas.md", "oil.md"}),
        (Filters(after="2021-06-21"), {"oil.md"}),
        (Filters(before="2021-06-20"), {"gas.md", "old/coal.md"}),
        (Filters(before="2021-06"), {"gas.md", "old/coal.md"}),
        (Filters(before="2019-01-15"), {"old/coal.md"}),
        (Filters(after="2022-05"), {"oil.md"}),
        (Filters(after="2020", before="2021-12-31"), {"gas.md"}),
        (Filters(author="ann"), {"gas.md", "old/coal.md"}),
        (Filters(author="ROE"), {"old/coal.md"}),
        (Filters(file="*.txt"), {"undated.txt"}),
        (Filters(file="old/*"), {"old/coal.md"}),
        (Filters(author="Ann", file="gas*"), {"gas.md"}),
    ],
)
def test_filters_let_through_only_what_they_say(index, filters, expected):
    assert set(files(find(index, "gas oil coal wind", filters, paragraphs=100))) == expected
    by_words = search(index, "gas oil coal wind", None, RetrievalSettings(paragraphs=100), filters)
    assert set(files(by_words)) == expected


@pytest.mark.parametrize("by_meaning", [True, False])
def test_filters_that_leave_no_document_are_an_error_and_not_an_empty_result(index, by_meaning):
    vector = embed_query(EMBEDDER, "gas") if by_meaning else None
    with pytest.raises(UsageError, match="no document has the author 'nobody'"):
        search(index, "gas", vector, filters=Filters(author="nobody"))


def test_a_filter_is_applied_before_ranking(index):
    hits = find(index, "Who sold gas to Germany?", Filters(file="oil.md"), documents=1)
    assert files(hits) == ["oil.md"]


def test_weights_say_what_counts(index):
    query = "Chinese refineries bought crude oil zeppelin zeppelin"
    words = find(index, query, dense_weight=0.0, document_weight=0.0, paragraphs=100)
    assert [hit.lexical for hit in words] == sorted((hit.lexical for hit in words), reverse=True)
    meaning = find(index, query, lexical_weight=0.0, document_weight=0.0, paragraphs=100)
    assert [hit.similarity for hit in meaning] == sorted((hit.similarity for hit in meaning), reverse=True)


# The context


def hit(file="a.md", number=1, texts=("One two three.",), score=1.0, similarities=()) -> Hit:
    sentences = tuple(Sentence(file, number, 100 * i, 100 * i + len(text), text) for i, text in enumerate(texts))
    return Hit(file, number, 0, 1000, score, 0.5, 1.0, 1.0, "", "T", Span(0, 9), sentences, tuple(similarities))


def words(text: str) -> int:
    return len(text.split())


def chosen(passages) -> list[tuple[int, list[str]]]:
    return [(passage.paragraph, [sentence.text for sentence in passage.sentences]) for passage in passages]


def test_all_is_given_when_all_fits():
    hits = [hit(number=2, texts=("One.", "Two.")), hit(number=1, texts=("Three.",))]
    assert chosen(choose_context(hits, "x", words, 100)) == [(2, ["One.", "Two."]), (1, ["Three."])]


def test_a_document_with_a_title_of_two_thousand_characters_is_given_all_the_same():
    long = replace(hit(texts=("Oil was sold.",)), title="Oil " * 500)
    assert chosen(choose_context([long], "oil", words, 60)) == [(1, ["Oil was sold."])]


def test_the_sentences_near_the_question_are_kept_in_the_order_of_the_text():
    texts = (
        "Long talk about nothing here at all.",
        "Oil was sold.",
        "Other words of no use to anyone.",
        "Gas was oil.",
    )
    hits = [hit(texts=texts, similarities=(0.1, 0.8, 0.1, 0.9))]
    assert chosen(choose_context(hits, "oil", words, 10)) == [(1, ["Oil was sold.", "Gas was oil."])]


def test_a_sentence_comes_with_what_it_refers_back_to():
    texts = ("Nothing of note was said by them.", "Xi met Putin.", "He said that it was oil.")
    hits = [hit(texts=texts, similarities=(0.1, 0.1, 0.9))]
    assert chosen(choose_context(hits, "oil", words, 12)) == [(1, ["Xi met Putin.", "He said that it was oil."])]
    assert chosen(choose_context(hits, "oil", words, 8)) == [(1, ["Xi met Putin."])]


def test_the_best_paragraph_stays_whole_when_it_takes_half():
    hits = [
        hit(texts=("One two.", "Three four.")),
        hit(number=2, texts=("Oil oil oil oil.",) * 3, similarities=(0.9,) * 3),
    ]
    assert chosen(choose_context(hits, "oil", words, 12))[0] == (1, ["One two.", "Three four."])


def test_passages_of_one_file_stand_together_after_the_best():
    hits = [hit("a.md", 1), hit("b.md", 1), hit("a.md", 7)]
    passages = choose_context(hits, "x", words, 100)
    assert [(p.file, p.paragraph) for p in passages] == [("a.md", 1), ("a.md", 7), ("b.md", 1)]


def test_no_hits_or_no_room_give_no_passages():
    assert choose_context([], "x", words, 100) == ()
    assert choose_context([hit()], "x", words, 2) == ()


@given(
    st.lists(
        st.lists(
            st.lists(st.sampled_from(["oil", "gas", "he", "the", "it"]), min_size=1, max_size=8).map(" ".join),
            min_size=1,
            max_size=6,
        ),
        max_size=5,
    ),
    st.integers(0, 60),
    st.text(max_size=20),
)
def test_the_budget_is_never_exceeded_and_sentences_stay_whole(paragraphs, budget, question):
    hits = [hit(f"{number % 2}.md", number, texts) for number, texts in enumerate(paragraphs)]
    passages = choose_context(hits, question, words, budget)
    heads = {passage.file for passage in passages}
    spent = sum(words(s.text) for p in passages for s in p.sentences) + sum(words("From T:") for _ in heads)
    assert spent <= budget
    given = {(p.file, p.paragraph): p.sentences for p in passages}
    for one in hits:
        kept = given.get((one.file, one.paragraph), ())
        assert list(kept) == [s for s in one.sentences if s in kept]


@pytest.mark.model
def test_meaning_finds_what_is_said_in_other_words(tmp_path):
    from rag_geo.embedding import load_embedder

    embedder = load_embedder()
    folder = Path(tmp_path / "documents")
    folder.mkdir()
    (folder / "a.md").write_text("The firm dismissed half of its staff.\n\nRain fell on the old harbour all week.\n")
    update_index(folder, tmp_path / "index", embedder)
    index = Index.open(tmp_path / "index", embedder)
    query = "How many employees were laid off?"
    assert search(index, query, embed_query(embedder, query))[0].paragraph == 1


def test_a_title_without_text_is_no_hit_and_moves_no_score(index, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "title.md").write_text("---\ntitle: gas gas gas\n---\n\n# Gas\n")
    update_index(folder, tmp_path / "index", EMBEDDER)
    hits = find(Index.open(tmp_path / "index"), "Who sold gas to Germany?")
    assert [(hit.file, hit.paragraph) for hit in hits] == [
        (hit.file, hit.paragraph) for hit in find(index, "Who sold gas to Germany?")
    ]


def test_a_question_in_a_language_that_the_embedder_was_not_made_for_is_searched_by_its_words(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "faehre.txt").write_text(
        "Die Fähre nach Lunt befördert vierzig Wagen und fährt nur im Sommer.\n\n"
        "Der Hafen wurde nach dem Sturm wieder aufgebaut, und die Stadt zahlte dafür.\n"
    )
    question = "Wie viele Wagen befördert die Fähre nach Lunt?"
    found = {}
    for name in ("all-MiniLM-L6-v2", "another"):
        embedder = HashEmbedder(name)
        update_index(folder, tmp_path / name, embedder)
        index = Index.open(tmp_path / name)
        assert index.languages == ("de",)
        found[name] = search(index, question, embed_query(embedder, question))
        alone = RetrievalSettings(dense_weight=0, document_dense_weight=0)
        words = search(index, question, embed_query(embedder, question), alone)
        assert ([hit.score for hit in found[name]] == [hit.score for hit in words]) == (name == "all-MiniLM-L6-v2")
        assert found[name][0].paragraph == 1
