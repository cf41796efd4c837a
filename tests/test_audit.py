"""What an audit finds in a collection, what it takes for no finding, and what is shown under an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from evals import audit_bench
from hypothesis import given
from hypothesis import strategies as st

from rag_geo import cli, inspection, session
from rag_geo.audit import SAMPLE, Audit, audit, contradicting
from rag_geo.audit.conflicts import Statement, describe, difference, ordinary_words
from rag_geo.audit.figures import figures
from rag_geo.audit.findings import Contradiction, Repeated, Spot, Textless, Unfound
from rag_geo.audit.repeats import share, words_of
from rag_geo.audit.unfound import question_from, unfound
from rag_geo.index import Index, change_left_out, update_index
from rag_geo.records import Citation, Sentence, Skipped
from rag_geo.session import Edges
from rag_geo.testing import HashEmbedder
from rag_geo.text.facts import facts

BENCH_ROWS = audit_bench.read(audit_bench.PAIRS)


def embedder() -> HashEmbedder:
    return HashEmbedder(dimension=512)


def make(folder: Path, files: dict[str, str | bytes]) -> Index:
    (folder / "docs").mkdir(exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / "docs" / name).write_bytes(data)
    update_index(folder / "docs", folder / "index", embedder())
    return Index.open(folder / "index", embedder())


def differ(one: str, other: str, before: str = "", title: str = "", other_title: str = "") -> str:
    found = difference(Statement(one, before, title), Statement(other, "", other_title))
    return found.kind if found else ""


# Figures


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("The valley has about 5.7 billion trees.", 5.72e9, 6.5e9),
        ("The valley has 48,000 trees.", 48_217, 49_000),
        ("The valley has 84 trees.", 84, 85),
        ("The valley has more than 3,000 trees.", 9_000, 2_000),
        ("The valley has between 20 and 40 trees.", 30, 41),
        ("The valley has up to 40 trees.", 12, 50),
        ("The valley has 20 or more trees.", 50, 10),
    ],
)
def test_a_figure_is_the_range_that_its_writer_can_have_meant(text, inside, outside):
    (figure,) = figures(facts(text))
    assert figure.low <= inside <= figure.high
    assert not figure.low <= outside <= figure.high


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is 12 miles long.", "It is 19.3 kilometres long."),
        ("It is kept below 30 °C.", "It is kept below 86 °F."),
        ("It yields 900 litres an hour.", "It yields 21,600 litres a day."),
        ("It lasts two years.", "It lasts 24 months."),
        ("It weighs 3 tonnes.", "It weighs 3,000 kilograms."),
    ],
)
def test_one_amount_in_two_units_is_one_value(one, other):
    (mine,), (theirs,) = figures(facts(one)), figures(facts(other))
    assert (mine.measure, mine.rate) == (theirs.measure, theirs.rate)
    assert mine.value == pytest.approx(theirs.value, rel=0.01)


def test_years_places_in_a_row_and_codes_are_no_figures():
    assert not figures(facts("In 1998 the third Su-35 flew on 4 May."))


def test_what_is_counted_is_the_noun_behind_the_figure_with_the_words_between():
    (figure,) = figures(facts("The choir has 84 singing members in all."))
    assert (figure.noun, figure.traits) == ("member", {"sing"})


# Contradictions


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("figure", "The Osk mill has 40 windows.", "With its 62 windows, the Osk mill is light inside."),
        ("figure", "Velm harbour has 12 cranes.", "There are 17 cranes in the harbour of Velm."),
        ("figure", "The Tor dam is 80 metres high.", "The Tor dam has a height of 300 feet."),
        ("figure", "The ferry to Ilm costs 9 euros.", "The price of the ferry to Ilm is 14 euros."),
        ("date", "The Tor dam was completed in 1931.", "In 1934 the Tor dam was completed."),
        ("date", "The Ilm treaty was signed on 3 May 1907.", "The Ilm treaty was signed on 9 May 1907."),
        ("rank", "Ilm is the second-largest port in Velm.", "Ilm is the fifth-largest port in Velm."),
        ("person", "In 1999 the mayor of Ilm was Ada Korr.", "Olaf Brint was the mayor of Ilm in 1999."),
        ("person", "The Velm hymn was written by Ada Korr.", "Olaf Brint wrote the Velm hymn."),
        ("place", "The painter Ada Korr was born in Velm.", "Ada Korr, the painter, was born in Torholm."),
        ("denial", "The Velm club joined the Tor league.", "The Velm club never joined the Tor league."),
        ("denial", "Coal prices in Velm rose in 2009.", "Coal prices in Velm fell in 2009."),
    ],
)  # fmt: skip
def test_two_statements_of_one_thing_that_cannot_both_be_true_are_a_contradiction(kind, one, other):
    assert differ(one, other) == differ(other, one) == kind


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Velm harbour has 12 cranes.", "Torholm harbour has 17 cranes."),
        ("In 2004 Velm harbour had 12 cranes.", "In 2011 Velm harbour had 17 cranes."),
        ("Velm harbour has 17 cranes.", "Velm harbour has 5 electric cranes."),
        ("Velm harbour has 17 cranes.", "Velm harbour has 40 pilots."),
        ("Velm harbour handled 48,217 boxes.", "Velm harbour handled about 48,000 boxes."),
        ("Velm harbour handles 900 boxes a day.", "Velm harbour handles 6,300 boxes a week."),
        ("Velm harbour has 17 cranes.", "Velm harbour had bought 12 cranes before the war."),
        ("The Tor dam is 80 metres high.", "The Tor dam is 430 metres long."),
        ("The Tor dam cost 40 million crowns.", "The Tor dam was expected to cost 25 million crowns."),
        ("Oil exports of Velm came to 40 tonnes.", "Gas exports of Velm came to 12 tonnes."),
        ("The Tor dam was completed in 1931.", "The Tor dam was opened to visitors in 1960."),
        ("The basin is 40 metres deep, deeper than in Velm.", "The basin of Velm is 12 metres deep."),
        ("Upper Velm is 40 miles long.", "Lower Velm is 22 miles long."),
        ("In 1999 the mayor of Ilm was Ada Korr.", "In 2009 the mayor of Ilm was Olaf Brint."),
        ("The mayor of Ilm was Ada Korr.", "The deputy mayor of Ilm was Olaf Brint."),
        ("The Velm hymn was written by Ada Korr.", "The Velm hymn was written by Korr."),
        ("By 1990 Velm had not joined the Tor league.", "Velm joined the Tor league in 1996."),
        ("The first Velm regatta was won by Ada Korr.", "The second Velm regatta was won by Olaf Brint."),
    ],
)
def test_what_only_looks_like_a_contradiction_is_none(one, other):
    assert differ(one, other) == differ(other, one) == ""


def test_a_name_may_stand_in_the_sentence_before():
    assert differ("The harbour has 12 cranes.", "Velm harbour has 17 cranes.") == ""
    assert differ("The harbour has 12 cranes.", "Velm harbour has 17 cranes.", "Velm harbour was dredged.") == "figure"


def test_in_documents_about_different_things_it_means_each_documents_own():
    said = "The coast is 900 miles long, and nobody in Peru has walked it.", "The coast is 300 miles long for Peru."
    assert differ(*said, title="Norway: a profile", other_title="Iran: a profile") == ""


def test_a_record_of_figures_is_no_statement():
    one = "Velm: cranes: 12; pilots: 40; ferries: 3"
    assert differ(one, one.replace("12", "17")) == ""


def test_what_differs_is_said_in_the_words_of_both():
    found = difference(Statement("Velm harbour has 12 cranes."), Statement("Velm harbour has 17 cranes."))
    assert found is not None
    assert describe(found) == "another figure: “12” and “17”"


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_are_compared(one, other):
    found = difference(Statement(one), Statement(other))
    assert difference(Statement(one), Statement(one)) is None
    assert (found is None) == (difference(Statement(other), Statement(one)) is None)


@pytest.mark.parametrize("row", [row for row in BENCH_ROWS if row["split"] == "dev"], ids=lambda row: row["id"])
def test_the_order_of_two_statements_makes_no_difference(row):
    sides = [
        Statement(row[f"{side}_sentence"], row[side].partition(row[f"{side}_sentence"])[0]) for side in ("one", "other")
    ]
    assert (difference(*sides) is None) == (difference(*reversed(sides)) is None)


# Repetitions

LONG = "The warden of the lower lock writes the height of the water into a book that is kept in the boat shed."


@pytest.mark.parametrize(
    ("other", "near"),
    [
        (LONG.upper().replace(" ", "\n  "), True),
        (LONG.replace("book", "ledger"), True),
        (f"{LONG} In winter he does it once a week.", True),
        ("The warden of the upper lock keeps a dog, writes poems, and is seldom seen in the boat shed.", False),
        ("", False),
    ],
)
def test_paragraphs_repeat_each_other_when_nearly_all_runs_of_words_agree(other, near):
    assert (share(words_of(LONG), words_of(other)) >= 0.8) is near


def test_captions_are_too_short_to_repeat_each_other():
    assert share(words_of("See the table below."), words_of("See the table below.")) == 0


def test_files_that_are_copies_are_told_apart_from_paragraphs_that_are_repeated(tmp_path):
    index = make(tmp_path, {"a.md": LONG, "b.md": LONG, "c.md": f"{LONG} It is blue.\n\nA cat slept on the roof."})
    found = audit(index, embedder(), 0)
    assert found.copies == (("a.md", "b.md"),)
    (group,) = found.repeated
    assert [spot.file for spot in group.spots] == ["a.md", "c.md"]
    assert not group.exact


def test_a_paragraph_that_differs_in_white_space_alone_is_the_same(tmp_path):
    index = make(tmp_path, {"a.md": LONG, "c.md": LONG.replace(" ", "  ")})
    (group,) = audit(index, embedder(), 0).repeated
    assert group.exact


# What no question finds


def test_a_question_leaves_out_what_it_asks_for_and_keeps_no_run_of_words():
    text = "The northern granary of Velm was filled with barley from 62 villages in autumn."
    question = question_from([Sentence("a.md", 1, 0, len(text), text)], "Harvest notes", lambda key: len(key))
    assert question.startswith("How many ")
    assert question.endswith("Harvest notes?")
    assert "62" not in question
    assert not any(" ".join(pair) in text for pair in zip(question.split(), question.split()[1:], strict=False))


def test_a_paragraph_of_two_words_makes_no_question():
    assert question_from([Sentence("a.md", 1, 0, 9, "See above.")], "", lambda key: 1.0) == ""


def test_a_paragraph_that_others_push_out_of_the_first_five_is_reported(tmp_path):
    crowd = {f"crowd{n}.md": "Kettle, lamp, saddle, river." for n in range(6)}
    for n, name in enumerate(crowd):
        crowd[name] += "." * n
    lost = "And so by the river there was the kettle, and over there the lamp, and there too the saddle."
    index = make(tmp_path, {**crowd, "crowd9.md": lost})
    found = unfound(index, embedder(), SAMPLE, lambda *_: None)
    assert found.asked == 7
    assert "crowd9.md" in [each.spot.file for each in found.unfound]


def test_of_a_large_collection_a_sample_is_asked_for(tmp_path):
    files = {f"{n}.md": f"Barn number {n} stores oats, barley and flax for horse {n * 7}." for n in range(20)}
    assert audit(make(tmp_path, files), embedder(), 5).asked == 5


# The whole

HARBOUR = {
    "annals.md": "# Annals\n\nThe weather was fair. Velm harbour has 12 cranes. A pilot lives there.",
    "ledger.md": "# Ledger\n\nVelm harbour has 17 cranes. They are painted every year.",
    "empty.txt": "",
    "secret.md": "Nobody reads this.",
}


@pytest.fixture
def harbour(tmp_path) -> Index:
    make(tmp_path, HARBOUR)
    change_left_out(tmp_path / "index", more=["secret.md"])
    return make(tmp_path, HARBOUR)


def test_an_audit_tells_what_was_not_read_but_not_what_the_user_left_out(harbour):
    found = audit(harbour, embedder())
    assert [each.file for each in found.unread] == ["empty.txt"]
    assert (found.generation, found.documents) == (harbour.generation, 2)


def test_both_sides_of_a_contradiction_are_cited_as_they_stand(harbour):
    (found,) = audit(harbour, embedder()).contradictions
    assert {found.one.file, found.other.file} == {"annals.md", "ledger.md"}
    for cited in (found.one, found.other):
        assert harbour.document(cited.file).text[cited.start : cited.end] == cited.quote
    assert "12" in found.what
    assert "17" in found.what


def test_an_audit_says_how_far_it_is(harbour):
    told = []
    audit(harbour, embedder(), progress=lambda stage, done, total: told.append((stage, done == total)))
    assert {stage for stage, _ in told} == {"asking", "comparing", "reading"}
    assert [ended for stage, ended in told if stage == "reading"][-1]


def test_an_index_of_one_document_is_audited(tmp_path):
    found = audit(make(tmp_path, {"a.md": "Rain."}), embedder())
    assert (found.unfound, found.repeated, found.contradictions) == ((), (), ())


# Answers


def cite(index: Index, file: str, quote: str, paragraph: int = 2) -> Citation:
    start = index.document(file).text.index(quote)
    return Citation(file, paragraph, start, start + len(quote), quote)


def test_an_answer_that_rests_on_one_side_is_shown_the_other(harbour):
    cited = cite(harbour, "ledger.md", "Velm harbour has 17 cranes.")
    (conflict,) = contradicting(harbour, [cited])
    assert conflict.claim_sentence == cited.quote
    assert conflict.cited == cited
    assert (conflict.other.file, conflict.other.quote) == ("annals.md", "Velm harbour has 12 cranes.")
    assert conflict.what == "another figure: “17” and “12”"


def test_nothing_stands_against_a_sentence_that_nobody_contradicts(harbour):
    assert contradicting(harbour, [cite(harbour, "ledger.md", "They are painted every year.")]) == ()


def test_an_answer_that_cites_both_sides_shows_them_already(harbour):
    both = [
        cite(harbour, "ledger.md", "Velm harbour has 17 cranes."),
        cite(harbour, "annals.md", "Velm harbour has 12 cranes."),
    ]
    assert contradicting(harbour, both) == ()


def test_a_citation_of_another_index_has_nothing_against_it(harbour):
    assert contradicting(harbour, [Citation("gone.md", 1, 0, 5, "Gone.")]) == ()
    assert contradicting(harbour, [Citation("ledger.md", 99, 0, 5, "Gone.")]) == ()


# The command


@pytest.fixture
def run(tmp_path, monkeypatch, harbour):
    edges = Edges({"NO_COLOR": "1"})
    monkeypatch.setattr(session.Edges, "load_embedder", lambda *_: embedder())
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with CliRunner().isolation() as (out, err, _both):
            code = cli.run([*arguments, "--index", str(tmp_path / "index")], edges)
            return code, out.getvalue().decode(), err.getvalue().decode()

    return invoke


def test_the_command_prints_every_kind_of_finding_and_progress_elsewhere(run):
    code, out, err = run("audit")
    assert code == 0
    assert "1 file not read:\n  empty.txt" in out
    assert "no page is without text" in out
    assert "no paragraph repeats another" in out
    assert "1 pair of sentences that contradict each other:\n  another figure: “12” and “17”" in out
    assert "annals.md ¶2" in out
    assert "asking" in err
    assert "asking" not in out


def test_the_command_prints_one_object(run):
    code, out, _ = run("audit", "--json", "--sample", "0")
    found = json.loads(out)
    assert code == 0
    assert found["asked"] == 0
    assert found["unread"][0]["file"] == "empty.txt"
    assert found["contradictions"][0]["one"]["quote"] == "Velm harbour has 12 cranes."


def test_of_many_findings_the_first_are_shown_and_the_others_counted():
    spot = Spot("a.md", 3, "p. 2", "word " * 60)
    cited = Citation("a.md", 3, 0, 4, "word")
    many = inspection.SHOWN + 5
    found = Audit(
        "gen-000001", 1, 1, 1, (Skipped("x\n.bin", "looks binary"),) * many,
        (Textless("s.pdf", ("p. 1",) * many),) * many,
        (Unfound(spot, "What word?"),) * many, (("a", "b"),) * many, (Repeated((spot,) * many, True),) * many,
        (Contradiction("figure", cited, cited, "another figure"),) * many,
    )  # fmt: skip
    text = [line for line in inspection.audit_lines(found) if line.segments]
    written = ["".join(segment.text for segment in line.segments) for line in text]
    assert sum(line.startswith("and 5 more") for line in written) == 6
    assert "25 pairs of sentences that contradict each other:" in written
    assert any(line.startswith("x\\n.bin: looks binary") for line in written)
    assert any(line.endswith("and 13 more") and line.startswith("s.pdf: p. 1") for line in written)
    assert max(map(len, written)) < 500


# The bars


def test_the_planted_pairs_are_halved_for_good_and_stand_in_their_paragraphs():
    assert len(BENCH_ROWS) == 60
    for split in ("dev", "test"):
        rows = [row for row in BENCH_ROWS if row["split"] == split]
        assert sum(row["contradiction"] for row in rows) == sum(not row["contradiction"] for row in rows) == 15
        assert {row["kind"] for row in rows if not row["contradiction"]} >= {
            "year",
            "unit",
            "rounding",
            "subset",
            "forecast",
        }
    assert all(row[f"{side}_sentence"] in row[side] for row in BENCH_ROWS for side in ("one", "other"))


def test_the_rules_hold_their_bars_on_the_pairs_they_were_made_with():
    rows = audit_bench.read(audit_bench.PAIRS.with_name("more.jsonl"))
    ordinary = ordinary_words(row[side] for row in rows for side in ("one", "other"))
    told = {
        row["id"]: difference(Statement(row["one"], ordinary=ordinary), Statement(row["other"], ordinary=ordinary))
        for row in rows
    }
    right = [row["contradiction"] for row in rows if told[row["id"]] is not None]
    assert sum(right) >= 16
    assert all(right)


@pytest.mark.model
@pytest.mark.parametrize("split", ["dev", "test"])
def test_an_audit_holds_its_bars_on_what_was_planted_in_the_corpus(split):
    from rag_geo.embedding import load_embedder

    found = audit_bench.measure(load_embedder(), split, audit_bench.ROOT / "corpus")
    assert found.found >= 0.6 * found.contradictions
    assert found.fooled + found.elsewhere <= 0.1 * found.reported
    assert found.duplicates_found == found.duplicates
    assert found.unreadable_found == found.unreadable
