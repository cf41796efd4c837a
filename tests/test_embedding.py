import json
import math
import shutil
import threading
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag_geo.bert import from_tensors, gelu
from rag_geo.embedding import (
    DEFAULT_MODEL,
    BertEmbedder,
    Embedder,
    SentenceTransformerEmbedder,
    _batches,
    _SingleThreaded,
    _Turns,
    is_plain_bert,
    load_embedder,
)
from rag_geo.errors import ModelError
from rag_geo.models import embedder_folder
from rag_geo.testing import HashEmbedder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "gas", "oil", "russia", "china", "sold", "bought"]
TEXTS = ["russia sold gas", "china bought oil", "gas", "", "oil " * 40, "nothing known here"]


def tiny_model(folder: Path, seed: int = 0) -> Path:
    """A two-layer BERT of eight numbers a vector, with random weights."""
    rng = np.random.default_rng(seed)
    width, wide, heads = 8, 16, 2

    def some(*shape):
        return rng.normal(0, 0.5, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": some(len(WORDS), width),
        "embeddings.position_embeddings.weight": some(32, width),
        "embeddings.token_type_embeddings.weight": some(2, width),
        "embeddings.position_ids": np.arange(32)[None],
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(2):
        name = f"encoder.layer.{layer}"
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
        parts = {f"attention.self.{part}": (width, width) for part in ("query", "key", "value")}
        parts |= {"attention.output.dense": (width, width), "intermediate.dense": (wide, width)}
        for part, shape in (parts | {"output.dense": (width, wide)}).items():
            tensors[f"{name}.{part}.weight"] = some(*shape)
            tensors[f"{name}.{part}.bias"] = some(shape[0])
    for name in norms:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = some(width), some(width)
    (folder / "1_Pooling").mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors")
    write(folder / "config.json", model_type="bert", hidden_act="gelu", hidden_size=width, num_attention_heads=heads,
          layer_norm_eps=1e-12, max_position_embeddings=32)  # fmt: skip
    write(folder / "1_Pooling/config.json", pooling_mode_mean_tokens=True, pooling_mode_cls_token=False)
    write(folder / "sentence_bert_config.json", max_seq_length=16)
    types = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Normalize")]
    (folder / "modules.json").write_text(json.dumps(types))
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def load_tiny(folder: Path, seed: int = 0) -> Embedder:
    return load_embedder(str(tiny_model(folder, seed)), trust=True)


def write(path: Path, **fields) -> None:
    path.write_text(json.dumps(fields))


@pytest.fixture(params=["hash", "tiny bert", pytest.param("default", marks=pytest.mark.model)])
def embedder(request, tmp_path) -> Embedder:
    if request.param == "hash":
        return HashEmbedder()
    return load_tiny(tmp_path / "tiny") if request.param == "tiny bert" else load_embedder(DEFAULT_MODEL)


def test_vectors_are_rows_of_length_one_in_the_order_of_the_texts(embedder):
    vectors = embedder.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(embedder.embed([text])[0], vector, atol=1e-5)


def test_no_texts_give_no_vectors(embedder):
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_the_same_text_is_nearest_to_itself(embedder):
    vectors = embedder.embed(["russia sold gas", "china bought oil", "russia sold gas"])
    assert vectors[0] @ vectors[2] == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] < vectors[0] @ vectors[2] - 1e-5


def test_what_is_beyond_the_limit_is_not_read(embedder):
    long = "gas oil " * embedder.max_tokens
    assert embedder.count_tokens(long) > embedder.max_tokens
    cut, whole = embedder.embed([long + " russia china", long])
    np.testing.assert_allclose(cut, whole, atol=1e-5)


def test_special_tokens_are_counted(embedder):
    assert embedder.count_tokens("") == 2
    assert embedder.count_tokens("gas oil") == 4


@pytest.mark.parametrize("text", ["\ud800 lone", "\x00", "中国与俄罗斯", "e\u0301" * 500, "\u202e"])
def test_any_text_can_be_embedded(embedder, text):
    assert np.isfinite(embedder.embed([text])).all()


def test_progress_ends_with_all_done(embedder):
    seen = []
    embedder.embed(["gas"], lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]
    seen.clear()
    embedder.embed(["gas " * (i % 7) for i in range(100)], lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (100, 100)


@pytest.mark.model
def test_the_default_embedder_is_plain_bert_and_bears_the_hash_of_its_files(tmp_path):
    checked = embedder_folder(DEFAULT_MODEL, tmp_path)
    assert is_plain_bert(checked.path)
    assert load_embedder(cache=tmp_path).id == f"{DEFAULT_MODEL}@{checked.sha256[:16]}"


@pytest.mark.model
def test_a_copy_of_the_default_embedder_with_one_byte_changed_is_refused_before_it_is_loaded(tmp_path):
    folder = shutil.copytree(embedder_folder(DEFAULT_MODEL).path, tmp_path / "copy")
    assert load_embedder(str(folder)).id.startswith(f"{DEFAULT_MODEL}@")
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(50_000_000)
        byte = weights.read(1)[0]
        weights.seek(50_000_000)
        weights.write(bytes([byte ^ 1]))
    with pytest.raises(ModelError, match="is not a known embedder"):
        load_embedder(str(folder), tmp_path)


def test_files_that_nobody_vouches_for_are_not_loaded(tmp_path):
    with pytest.raises(ModelError, match="is not a known embedder") as caught:
        load_embedder(str(tiny_model(tmp_path / "tiny")))
    assert "--trust-model" in caught.value.hint


def test_the_id_follows_the_weights(tmp_path):
    one = load_tiny(tmp_path / "one" / "tiny")
    same = load_tiny(tmp_path / "two" / "tiny")
    other = load_tiny(tmp_path / "three" / "tiny", seed=1)
    assert one.id == same.id
    assert one.id.startswith("tiny@")
    assert one.id != other.id


def test_interrupted_embedding_stops_at_once(tmp_path):
    embedder = load_tiny(tmp_path / "tiny")

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedder.embed(["gas"] * 200, interrupt)


def test_a_model_without_its_own_limit_is_read_as_far_as_its_positions_go(tmp_path):
    folder = tiny_model(tmp_path / "tiny")
    (folder / "sentence_bert_config.json").unlink()
    assert load_embedder(str(folder), trust=True).max_tokens == 32


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("config.json", {"model_type": "roberta"}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}),
    ],
)
def test_only_plain_bert_is_computed_here(tmp_path, file, fields):
    folder = tiny_model(tmp_path / "tiny")
    assert is_plain_bert(folder)
    write(folder / file, **(json.loads((folder / file).read_text()) | fields))
    assert not is_plain_bert(folder)


def test_a_folder_without_safetensors_is_left_to_the_library(tmp_path):
    folder = tiny_model(tmp_path / "tiny")
    (folder / "model.safetensors").unlink()
    assert not is_plain_bert(folder)


@pytest.mark.parametrize("name", ["no-such-model", "", "/nowhere/at all"])
def test_an_unknown_embedder_is_named_with_those_that_are_known(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=repr(name or ".")) as caught:
        load_embedder(name)
    assert DEFAULT_MODEL in caught.value.hint


@pytest.mark.parametrize(
    ("file", "junk"), [("model.safetensors", b"junk"), ("tokenizer.json", b"{"), ("config.json", b"{}")]
)
def test_a_damaged_embedder_is_named(tmp_path, file, junk):
    folder = tiny_model(tmp_path / "tiny")
    if file != "config.json":
        (folder / file).write_bytes(junk)
    else:
        write(folder / file, model_type="bert", hidden_act="gelu")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        load_embedder(str(folder), trust=True)
    assert str(folder) in caught.value.message


def test_an_embedder_with_a_missing_tensor_is_named(tmp_path):
    folder = tiny_model(tmp_path / "tiny")
    save_file({"embeddings.word_embeddings.weight": np.zeros((2, 8), np.float32)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_embedder(str(folder), trust=True)


@given(st.floats(-12, 12, width=32))
def test_gelu_is_the_exact_one_to_six_digits(x):
    exact = x * 0.5 * (1 + math.erf(x / 2**0.5))
    assert gelu(np.array([[x]], np.float32))[0, 0] == pytest.approx(exact, abs=2e-6)


def test_gelu_works_through_more_than_one_block():
    x = np.linspace(-4, 4, 200_000, dtype=np.float32)
    whole = gelu(x.copy())
    parts = np.concatenate([gelu(part.copy()) for part in np.array_split(x, 7)])
    np.testing.assert_array_equal(whole, parts)


@given(st.lists(st.integers(1, 600), max_size=200))
def test_every_row_is_in_one_batch_and_no_batch_is_too_large(lengths):
    batches = list(_batches(lengths))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) <= 32 and sum(lengths[row] for row in batch) <= 2048 for batch in batches)
    sizes = [lengths[row] for batch in batches for row in batch]
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=6), st.randoms())
def test_a_text_has_the_same_vector_whatever_stands_beside_it(texts, random):
    bert = random_bert()
    ids = [np.array(text) for text in texts]
    together = bert.encode(ids)
    for text, vector in zip(ids, together, strict=True):
        np.testing.assert_allclose(bert.encode([text])[0], vector, atol=1e-5)


def random_bert():
    rng = np.random.default_rng(1)
    names = {"embeddings.word_embeddings": (10, 4), "embeddings.position_embeddings": (12, 4)}
    names |= {"embeddings.token_type_embeddings": (2, 4)}
    tensors = {f"{name}.weight": rng.normal(size=shape).astype(np.float32) for name, shape in names.items()}
    for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
                 "intermediate.dense", "output.dense"):  # fmt: skip
        tensors[f"encoder.layer.0.{part}.weight"] = rng.normal(size=(4, 4)).astype(np.float32)
        tensors[f"encoder.layer.0.{part}.bias"] = rng.normal(size=4).astype(np.float32)
    for part in ("embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"):
        tensors[f"{part}.LayerNorm.weight"] = rng.normal(size=4).astype(np.float32)
        tensors[f"{part}.LayerNorm.bias"] = rng.normal(size=4).astype(np.float32)
    return from_tensors(tensors, heads=2, epsilon=1e-12)


@pytest.mark.model
def test_the_vectors_are_those_of_sentence_transformers():
    folder = embedder_folder(DEFAULT_MODEL).path
    mine, theirs = BertEmbedder(folder, "one"), SentenceTransformerEmbedder(folder, "one")
    texts = ["Who is the junior partner?", "", "Ünïcode, 中国 and \u200b more", "long " * 400, "Gas 5.7 bn.", *TEXTS]
    texts *= 4
    assert (mine.id, mine.dimension, mine.max_tokens) == (theirs.id, theirs.dimension, theirs.max_tokens)
    assert [mine.count_tokens(text) for text in texts[:3]] == [theirs.count_tokens(text) for text in texts[:3]]
    seen = []
    np.testing.assert_allclose(mine.embed(texts), theirs.embed(texts, lambda *step: seen.append(step)), atol=2e-6)
    assert seen == [(len(texts), len(texts))]


@pytest.mark.model
def test_a_question_is_embedded_by_sentence_transformers_while_an_index_is_built_one_text_after_the_other():
    theirs = SentenceTransformerEmbedder(embedder_folder(DEFAULT_MODEL).path, "one")
    inside, most, began, order = [], [], threading.Event(), []
    theirs._model.register_forward_pre_hook(lambda *_: inside.append(1) or most.append(len(inside)) or began.set())
    theirs._model.register_forward_hook(lambda *_: inside.pop() and None)
    building = threading.Thread(target=lambda: (theirs.embed(["gas " * 400] * 320), order.append("index")))
    building.start()
    began.wait()
    asked = theirs.embed(["Who sold gas?"])
    assert theirs.count_tokens("gas") == 3
    order.append("question")
    building.join()
    assert order == ["question", "index"]
    assert set(most) == {1}
    np.testing.assert_allclose(asked, theirs.embed(["Who sold gas?"]), atol=1e-5)


def test_whoever_waits_for_a_turn_is_not_overtaken_by_whoever_comes_again_and_again():
    turns, times, waited = _Turns(), [], []

    def again_and_again():
        while len(waited) < 5 and len(times) < 2000:
            with turns:
                sum(range(300_000))  # nothing that lets another thread run
            times.append(1)

    busy = threading.Thread(target=again_and_again)
    busy.start()
    for _ in range(5):
        sleep(0.05)
        before = len(times)
        with turns:
            waited.append(len(times) - before)
    busy.join()
    assert max(waited) <= 5, waited


def test_the_limit_of_threads_holds_until_the_last_has_left():
    from threadpoolctl import ThreadpoolController, threadpool_limits

    libraries = ThreadpoolController()

    def threads():
        return {each["num_threads"] for each in libraries.info() if each["user_api"] == "blas"}

    with threadpool_limits(limits=2):
        before = threads()
        single = _SingleThreaded(libraries)
        single.__enter__()  # an index is being built
        single.__enter__()  # a question comes
        single.__exit__()  # the index is done first
        assert threads() == {1}
        single.__exit__()
        assert threads() == before != {1}
