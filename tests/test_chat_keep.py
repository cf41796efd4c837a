"""What a user takes along of a conversation."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files

import jsonschema

from answers import ANSWERED, NOT_FOUND, PARTIAL, QUOTE, VERIFIED, WITHHELD
from rag_geo.chat.keep import Turn, answer_markdown, conversation_markdown, conversation_object
from rag_geo.render import json_text

RECEIPT = {"rag_geo_receipt": 1, "made": "2026-03-01T10:00:00+00:00", "sha256": "ab" * 32}
TURNS = [Turn(PARTIAL, RECEIPT), Turn(replace(NOT_FOUND, searched="Who annexed Norway in 1860?"), RECEIPT)]


def test_an_answer_is_kept_with_its_question_what_was_searched_and_its_citations():
    kept = answer_markdown(replace(ANSWERED, searched="Who is the junior partner of China?"))
    assert kept.startswith("## Who is the junior partner?\n\n*Searched as:* Who is the junior partner of China?\n\n")
    assert "Russia is the junior partner of China. \\[1\\]" in kept
    assert "briefs/hawn.md ¶7" in kept
    assert "Searched as" not in answer_markdown(ANSWERED)


def test_an_answer_is_kept_with_the_places_and_copies_of_its_citations():
    cited = replace(VERIFIED.citations[0], place="p. 4", also=("old/hawn.md",))
    kept = answer_markdown(replace(ANSWERED, claims=(replace(VERIFIED, citations=(cited,)),)))
    assert "briefs/hawn.md ¶7, p. 4 (the same in old/hawn.md)\n" in kept


def test_a_conversation_is_kept_in_order_with_what_answered_it():
    kept = conversation_markdown(TURNS)
    assert kept.startswith("# Conversation\n\n## Who is the junior partner?")
    assert kept.count("\n## ") == 2
    assert kept.index("Sentences withheld") < kept.index("Who annexed Norway in 1860?")
    assert kept.count("scripted-model · index 000001 · receipt abab") == 2
    assert "2026-03-01T10:00:00" in kept
    assert WITHHELD.text not in kept
    assert conversation_markdown([]) == "# Conversation\n"


def test_nothing_that_is_kept_as_markdown_is_markup():
    evil = "# [x](http://evil) ![y](z.png) <script>\n- a\x1b[2J\u202e"
    answer = replace(ANSWERED, question=evil, searched=evil + "?", model=evil, claims=(replace(VERIFIED, text=evil),))
    kept = conversation_markdown([Turn(answer, {"made": evil, "sha256": evil})])
    assert not re.search(r"(?<!\\)[\[\]<>!]", kept.replace("> “", ""))
    assert not set("\x1b\u202e") & set(kept)
    assert [line for line in kept.splitlines() if line.startswith("- a")] == []


def test_what_answered_is_one_emphasised_line_also_where_it_begins_with_a_space():
    kept = conversation_markdown([Turn(replace(ANSWERED, model=" 1. m"), {"made": "\t", "sha256": ""})])
    assert kept.splitlines()[-1] == "*1\\. m · index 000001 · receipt*"


def test_a_conversation_as_json_has_each_answer_as_the_command_line_gives_it_and_its_receipt():
    kept = json.loads(json_text(conversation_object(TURNS)))
    schema = json.loads(files("rag_geo").joinpath("answer.schema.json").read_text(encoding="utf-8"))
    for turn in kept["turns"]:
        jsonschema.validate(turn["answer"], schema)
        assert turn["receipt"] == RECEIPT
    assert kept["turns"][0]["answer"]["claims"][0]["citations"][0]["quote"] == QUOTE
    assert kept["rag_geo_conversation"] == 1
