"""A model that remembers says what the real one says, and asks it nothing twice."""

from __future__ import annotations

import ctypes
import json
import math
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rag_geo import prompts
from rag_geo.errors import UsageError
from rag_geo.evaluation.remembering import DrawingGenerator, Memory, RememberingGenerator, Through, draw_token
from rag_geo.llm import LlamaGenerator, Stopped
from rag_geo.prompts import YES_NO, Part, Prompt
from rag_geo.testing import ScriptedGenerator

CHAT = prompts.chat_format("<|im_start|>")
GATE = Prompt("answer", (Part("Is it there?", True), Part("The bridge is green. é\ud800", False)), 1)
REQUEST = GATE.then(Part("Yes. Say it.", True))
CHECKS = [Prompt("check", (Part("Is it so?", True), Part(f"claim {n}", False)), 1) for n in range(3)]


def scripted() -> ScriptedGenerator:
    return ScriptedGenerator(
        ["The bridge is green.", "Later."], {"answer": [1.25, 9.0], "check": [0.1, 2.0, -3.0, 9.0]}
    )


def everything(generator) -> list:
    """What a pipeline asks for one question."""
    generator.start()
    list(generator.read(GATE))
    return [
        generator.choose(GATE, YES_NO),
        list(generator.write(REQUEST, 100)),
        generator.choose_each(CHECKS, (*YES_NO, "Maybe")),
    ]


def test_it_says_what_the_real_model_says_and_asks_it_once():
    real = scripted()
    generator = RememberingGenerator(real)
    said = everything(scripted())
    assert everything(generator) == said
    asked = list(real.prompts)
    for _ in range(3):
        assert everything(generator) == said
    assert real.prompts == asked, "nothing was read, chosen or written again"
    assert generator.memory.kept == 5
    assert isinstance(generator.choose(GATE, YES_NO).logprobs, tuple)
    assert said[2][0].logprobs[2] == -math.inf


def test_what_one_letter_or_the_trust_of_a_part_makes_different_is_another_prompt():
    generator = RememberingGenerator(ScriptedGenerator(odds={"answer": [1.0, 2.0, 3.0, 4.0, 5.0]}))
    trusted = Prompt("answer", (GATE.parts[0], Part(GATE.parts[1].text, True)), 1)
    joined = Prompt("answer", (Part(GATE.parts[0].text + GATE.parts[1].text, True),), 1)
    odds = [np.subtract(*generator.choose(one, YES_NO).logprobs) for one in (GATE, trusted, joined, REQUEST, GATE)]
    assert np.allclose(odds, [1, 2, 3, 4, 1])
    assert np.isclose(np.subtract(*generator.choose(GATE, ("No", "Yes")).logprobs), 5), (
        "other options are another question"
    )


def test_a_text_is_remembered_for_its_length():
    generator = RememberingGenerator(ScriptedGenerator(["one two three", "one two three"]))
    assert [piece.text for piece in generator.write(GATE, 1)] == ["one"]
    assert [piece.text for piece in generator.write(GATE, 9)] == ["one", " two", " three"]
    assert [piece.text for piece in generator.write(GATE, 1)] == ["one"]


def test_an_empty_text_is_remembered_too():
    real = ScriptedGenerator(["", "not asked for"])
    generator = RememberingGenerator(real)
    assert [list(generator.write(GATE, 9)) for _ in range(2)] == [[], []]
    assert real.answers == ["not asked for"]


def test_reading_what_was_answered_does_nothing_and_what_is_new_is_still_answered():
    real = scripted()
    generator = RememberingGenerator(real)
    assert list(generator.read(GATE)) != [], "nothing is known yet"
    generator.choose(GATE, YES_NO)
    read = len(real.prompts)
    assert list(generator.read(GATE)) == []
    assert len(real.prompts) == read
    assert "".join(piece.text for piece in generator.write(REQUEST, 9)) == "The bridge is green."
    assert list(generator.read(CHECKS[0])) != []


def test_of_several_prompts_only_the_new_ones_are_asked_and_equal_ones_once():
    real = ScriptedGenerator(odds={"check": [1.0, 2.0, 3.0]})
    generator = RememberingGenerator(real)
    generator.choose(CHECKS[1], YES_NO)
    chosen = generator.choose_each([CHECKS[0], CHECKS[1], CHECKS[0], CHECKS[2]], YES_NO)
    assert np.allclose(np.subtract(*np.transpose([one.logprobs for one in chosen])), [2, 1, 2, 3])
    assert real.prompts == [CHECKS[1], CHECKS[0], CHECKS[2]]
    assert generator.choose_each([], YES_NO) == []


def test_what_was_not_listened_to_or_stopped_is_not_remembered():
    real = ScriptedGenerator(["one two", "three four", "five six"])
    generator = RememberingGenerator(real)
    writing = generator.write(GATE, 9)
    next(writing)
    writing.close()
    writing = generator.write(GATE, 9)
    assert next(writing).text == "three"
    generator.stop()
    with pytest.raises(Stopped):
        next(writing)
    generator.start()
    assert "".join(piece.text for piece in generator.write(GATE, 9)) == "five six"


def test_what_is_remembered_stops_as_well():
    generator = RememberingGenerator(scripted())
    everything(generator)
    writing = generator.write(REQUEST, 100)
    next(writing)
    generator.stop()
    for call in (
        lambda: next(writing),
        lambda: generator.choose(GATE, YES_NO),
        lambda: generator.choose_each(CHECKS, YES_NO),
        lambda: list(generator.read(GATE)),
        lambda: list(generator.write(REQUEST, 100)),
    ):
        with pytest.raises(Stopped):
            call()
    generator.start()
    assert len(list(generator.write(REQUEST, 100))) == 4


def test_a_memory_on_disk_outlives_the_process(tmp_path: Path):
    path = tmp_path / "remembered.jsonl"
    said = everything(RememberingGenerator(scripted(), Memory(path)))
    assert all(len(json.loads(line)) == 2 for line in path.read_text().splitlines())
    with path.open("ab") as file:
        file.write(b'["cut o')
    silent = ScriptedGenerator(id="scripted")
    generator = RememberingGenerator(silent, Memory(path))
    assert everything(generator) == said
    assert silent.prompts == []
    assert generator.memory.kept == 0
    generator.choose(GATE, ("A", "B"))
    assert len(silent.prompts) == 1
    again = RememberingGenerator(ScriptedGenerator(odds={"answer": -1.0}), Memory(path))
    assert np.isclose(np.subtract(*again.choose(GATE, ("A", "B")).logprobs), 5), "kept behind the line that was cut off"


def test_models_do_not_answer_for_each_other():
    memory = Memory()
    one = RememberingGenerator(ScriptedGenerator(odds={"answer": 1.0}, id="one"), memory)
    other = RememberingGenerator(ScriptedGenerator(odds={"answer": 2.0}, id="other"), memory)
    hot = RememberingGenerator(ScriptedGenerator(odds={"answer": 3.0}, id="one"), memory, name="one, hot")
    assert np.allclose(
        [np.subtract(*each.choose(GATE, YES_NO).logprobs) for each in (one, other, hot, one)], [1, 2, 3, 1]
    )


def test_a_memory_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        Memory(tmp_path)


def test_a_model_handed_on_is_the_model():
    real = scripted()
    generator = Through(real)
    assert (generator.id, generator.context_size, generator.template) == (real.id, real.context_size, real.template)
    assert generator.count("a b") == 2
    assert everything(generator) == everything(scripted())
    assert generator.tokens == real.tokens
    generator.stop()
    assert real.stopped.is_set()
    generator.close()
    assert real.closed


def test_tokens_are_drawn_as_often_as_they_are_probable():
    logits = np.array([2.0, 1.0, 0.0, -np.inf], np.float32)
    draw = np.random.default_rng(0)
    for temperature in (1.0, 1.5, 0.2):
        counts = np.bincount([draw_token(logits, temperature, draw)[0] for _ in range(4000)], minlength=4) / 4000
        wanted = np.exp(logits.astype(float) / temperature)
        assert np.abs(counts - wanted / wanted.sum()).max() < 0.03
    token, logprob = draw_token(logits, 1.5, draw)
    assert np.isclose(logprob, logits[token] - np.log(np.exp(logits.astype(float)).sum()))


def three_tokens(*logits: float) -> LlamaGenerator:
    """llama.cpp with a library of three tokens ("a", "b" and the end of the turn) and always the same logits."""
    values = (ctypes.c_float * 3)(*logits)
    found = LlamaGenerator.__new__(LlamaGenerator)
    vars(found).update(
        id="three@0", _lock=threading.RLock(), _lanes={"answer": None}, _written=0, _size=3, _context=None,
        _vocab=None, _advance=lambda _prompt: iter(()), _decode=lambda _lane, _tokens: iter(()),
        _piece=lambda token: b"ab "[token:][:1],
        _llama=SimpleNamespace(
            llama_get_logits_ith=lambda _context, _place: ctypes.cast(values, ctypes.POINTER(ctypes.c_float)),
            llama_vocab_is_eog=lambda _vocab, token: token == 2,
        ),
    )  # fmt: skip
    return found


def test_a_drawing_model_writes_what_is_drawn_and_leaves_the_loaded_one_as_it_was():
    loaded = three_tokens(2.0, 1.0, -3.0)
    drawn = DrawingGenerator(loaded, 1.5)
    pieces = list(drawn.write(GATE, 200))
    assert {piece.text for piece in pieces} == {"a", "b"}
    best, other = (math.log(math.exp(x) / (math.e**2 + math.e + math.e**-3)) for x in (2, 1))
    assert {(piece.text, round(piece.logprob, 4)) for piece in pieces} == {
        ("a", round(best, 4)),
        ("b", round(other, 4)),
    }
    assert list(drawn.write(GATE, 200)) == pieces, "the same again"
    assert list(drawn.write(REQUEST, 200)) != pieces, "another prompt"
    assert list(DrawingGenerator(loaded, 1.5, seed=1).write(GATE, 200)) != pieces
    assert {piece.text for piece in loaded.write(GATE, 50)} == {"a"}
    assert {piece.text for piece in DrawingGenerator(loaded, 0.01).write(GATE, 50)} == {"a"}
    assert drawn._logits().tolist() == [2.0, 1.0, -3.0], "what is chosen between is not drawn"
    assert drawn.id == "three@0"


SMALL = "smollm2-135m-instruct-q4_1"


@pytest.mark.model
def test_a_real_model_draws_the_same_again_and_something_else_than_the_most_probable():
    from rag_geo.models import resolve_model
    from rag_geo.settings import Settings

    file = resolve_model(SMALL, Settings().cache.expanduser())
    generator = LlamaGenerator(file.path, name=file.name, sha256=file.sha256)
    try:
        prompt = Prompt(
            "answer", (Part("<|im_start|>user\nTell a story.<|im_end|>\n<|im_start|>assistant\n", True),), 0
        )
        best = list(generator.write(prompt, 20))
        chosen = generator.choose(prompt, YES_NO)
        drawing = DrawingGenerator(generator, 1.5)
        drawn = list(drawing.write(prompt, 20))
        assert drawn == list(drawing.write(prompt, 20))
        assert drawn != list(DrawingGenerator(generator, 1.5, seed=1).write(prompt, 20))
        assert drawn != best
        assert min(piece.logprob for piece in drawn) < min(piece.logprob for piece in best) < 0
        cold = DrawingGenerator(generator, 0.001).write(prompt, 20)
        assert [piece.text for piece in cold] == [piece.text for piece in best]
        assert drawing.choose(prompt, YES_NO).logprobs == pytest.approx(chosen.logprobs, abs=1e-3)
        assert list(generator.write(prompt, 20)) == best
    finally:
        generator.close()
