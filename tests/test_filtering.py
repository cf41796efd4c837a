"""Which documents filters leave, and what is said of filters that leave none."""

from __future__ import annotations

import time

import pytest

from rag_geo.errors import UsageError
from rag_geo.filtering import filter_words, passing
from rag_geo.index import Entry
from rag_geo.records import Filters


def entry(file, author="", date=""):
    return Entry(file, "", "", author, date, file)


DOCUMENTS = [
    entry("reports/009 Gas.md", "Ann Lee", "2019-01"),
    entry("reports/010 Oil.md", "Bo Chen", "2021-06-20"),
    entry("briefs/hawn.md", "Jeff Hawn"),
    entry("undated.txt", "", "2022"),
]


def refused(filters, documents=DOCUMENTS):
    with pytest.raises(UsageError) as caught:
        passing(documents, filters)
    assert caught.value.exit_code == 2
    return caught.value


def test_without_filters_every_document_is_searched():
    assert passing(DOCUMENTS, Filters()) == [True] * 4
    assert passing([], Filters()) == []


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("2019.zip/*", ["2019.zip/report.pdf", "2019.zip/old/a.eml/2/b.md"]),
        ("2019.zip", ["2019.zip/report.pdf", "2019.zip/old/a.eml/2/b.md"]),
        ("2019.zip/old/", ["2019.zip/old/a.eml/2/b.md"]),
        ("*.zip", ["2019.zip/report.pdf", "2019.zip/old/a.eml/2/b.md"]),
        ("*.pdf", ["2019.zip/report.pdf", "report.pdf"]),
        ("report.pdf", ["report.pdf"]),
        ("mails", ["mails/in.mbox/12"]),
        ("mails/in.mbox/1?", ["mails/in.mbox/12"]),
    ],
)
def test_a_folder_an_archive_or_a_mailbox_stands_for_what_is_in_it(pattern, left):
    files = ["2019.zip/report.pdf", "2019.zip/old/a.eml/2/b.md", "2019.zipped/c.md", "mails/in.mbox/12", "report.pdf"]
    found = passing([entry(file) for file in files], Filters(file=pattern))
    assert [file for file, passed in zip(files, found, strict=True) if passed] == left


def test_an_author_that_nobody_is_is_named_with_those_who_are_the_nearest_first():
    error = refused(Filters(author="Hwan"))
    assert error.message == "no document has the author 'Hwan'"
    assert error.hint == "known authors: Jeff Hawn, Ann Lee, Bo Chen; 1 of 4 documents has no author"


def test_of_many_authors_the_nearest_are_named_and_the_others_counted():
    many = [entry(f"{number}.md", f"Author {number}") for number in range(30)]
    hint = refused(Filters(author="Hwan"), [*many, *DOCUMENTS]).hint
    assert hint.startswith("known authors: Jeff Hawn, ")
    assert "and 28 more" in hint


def test_where_no_document_has_an_author_or_a_date_that_is_said():
    bare = [entry("a.md"), entry("b.md")]
    assert refused(Filters(author="Hawn"), bare).hint == "no document has an author at all"
    assert refused(Filters(after="2021"), bare).hint == "no document has a date at all"


@pytest.mark.parametrize(
    ("pattern", "nearest"),
    [("009*", "reports/009 Gas.md"), ("HAWN.md", "briefs/hawn.md"), ("undatet.txt", "undated.txt"), ("[", "briefs")],
)
def test_a_pattern_that_no_file_matches_is_named_with_the_nearest_files(pattern, nearest):
    error = refused(Filters(file=pattern))
    assert error.message == f"no document has a file name that matches {pattern!r}"
    assert error.hint.startswith(f"files are: {nearest}")


def test_dates_that_no_document_has_are_named_with_those_there_are():
    error = refused(Filters(after="2023"))
    assert error.message == "no document is dated 2023 or later"
    assert error.hint == "the dates go from 2019-01 to 2022; 1 of 4 documents has no date"
    assert refused(Filters(before="2018-12")).message == "no document is dated 2018-12 or earlier"


def test_filters_that_match_only_different_documents_are_blamed_together():
    error = refused(Filters(author="hawn", after="2019"))
    assert error.message == (
        "no document matches all of these filters: author hawn (1 document), from 2019 (3 documents)"
    )
    assert error.hint == "leave out one of them; 1 of 4 documents has no author; 1 of 4 documents has no date"


def test_the_first_filter_that_matches_nothing_is_blamed_alone():
    assert refused(Filters(author="Lee", after="2030")).message == "no document is dated 2030 or later"


def test_filters_are_said_in_words():
    assert filter_words(Filters()) == ""
    assert (
        filter_words(Filters("2024", "2025-06", "Hawn", "*.md")) == "author Hawn, from 2024, until 2025-06, file *.md"
    )


def test_an_author_without_end_is_cut():
    assert len(refused(Filters(author="x"), [entry("a.md", "y" * 10_000)]).hint) < 200


def test_a_large_collection_is_said_no_more_slowly_than_a_user_waits():
    many = [entry(f"folder {number % 97}/some document number {number}.md") for number in range(10_000)]
    start = time.perf_counter()
    refused(Filters(file="folders/*documents*9999.txt"), many)
    assert time.perf_counter() - start < 30
