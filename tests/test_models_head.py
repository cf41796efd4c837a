"""What is known of a model before it is loaded."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gguf_files import gguf
from rag_geo.errors import ModelError, ResourceError
from rag_geo.models import check_kind, check_memory, find_spec, model_file, model_path
from rag_geo.models.head import Head, read_head
from rag_geo.settings import Settings

LLAMA = {
    "general.architecture": "llama",
    "general.languages": ["en", "fr"],
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "tokenizer.ggml.model": "gpt2",
    "llama.pooling_type": 3,
}


def write(folder, values, name="model.gguf", **options):
    path = folder / name
    path.write_bytes(values if isinstance(values, bytes) else gguf(values, **options))
    return path


def test_the_values_in_front_of_the_vocabulary_are_read(tmp_path):
    head = read_head(write(tmp_path, LLAMA))
    assert head.architecture == "llama"
    assert head.values["general.languages"] == ["en", "fr"]
    assert "tokenizer.ggml.model" not in head.values
    assert "llama.pooling_type" not in head.values


@pytest.mark.parametrize(
    ("more", "numbers"),
    [
        ({}, 2 * 30 * 3 * (64 + 64)),
        ({"llama.attention.key_length": 80, "llama.attention.value_length": 32}, 2 * 30 * 3 * (80 + 32)),
        ({"llama.attention.head_count_kv": [2, 0, 4]}, 2 * 6 * (64 + 64)),
        ({"llama.attention.head_count_kv": 0}, 2 * 30 * 9 * (64 + 64)),
        ({"llama.attention.head_count": 0}, 0),
        ({"llama.block_count": "many"}, 0),
    ],
)
def test_what_a_model_keeps_of_each_token_is_reckoned_from_its_shape(more, numbers):
    assert Head(LLAMA | more).cache_bytes(1000) == 1000 * numbers


def test_memory_is_that_of_the_file_and_of_what_is_kept_of_the_context(tmp_path):
    path = write(tmp_path, LLAMA)
    size = int(path.stat().st_size * 1.1)
    check_memory(path, size)
    check_memory(path, size + 23_040 * 4096, 4096)
    with pytest.raises(ResourceError, match=rf"needs about {size + 23_040 * 4096:,} bytes of memory"):
        check_memory(path, size + 23_040 * 4096 - 1, 4096)


@pytest.mark.parametrize(
    "values",
    [
        {"general.architecture": "bert"},
        {"general.architecture": "jina-bert-v2"},
        {"general.architecture": "t5encoder"},
        {"general.architecture": "qwen3", "qwen3.pooling_type": 3},
        {"general.architecture": "gemma", "gemma.attention.causal": False},
    ],
)
def test_a_model_that_only_makes_vectors_is_refused(tmp_path, values):
    path = write(tmp_path, values)
    with pytest.raises(ModelError, match="makes vectors and writes no text"):
        check_kind(path)


@pytest.mark.parametrize(
    "values",
    [LLAMA, {"general.architecture": "qwen3", "qwen3.pooling_type": 0, "qwen3.attention.causal": True}, {}],
)
def test_a_model_that_writes_is_left_to_llama_cpp(tmp_path, values):
    assert check_kind(write(tmp_path, values)).writes


def test_a_model_in_several_files_is_refused_as_the_others_are_not_hashed(tmp_path):
    with pytest.raises(ModelError, match="is one of 3 files") as caught:
        check_kind(write(tmp_path, LLAMA, "big-00001-of-00003.gguf"))
    assert "llama-gguf-split --merge" in caught.value.hint
    assert check_kind(write(tmp_path, LLAMA, "big-00001-of-00001.gguf"))


WHOLE = gguf(LLAMA)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "ends in the middle"),
        (b"GGU", "ends in the middle"),
        (b"ELF!" + bytes(99), "does not begin with GGUF"),
        (gguf({}, version=9), "it is of version 9"),
        (WHOLE[:60], "ends in the middle"),
        (WHOLE[:24] + struct.pack("<Q", 2**63) + WHOLE[32:], "ends in the middle"),
        (b"GGUF" + struct.pack("<IQQQcII", 3, 0, 1, 1, b"x", 77, 0), "unknown type 77"),
        (b"GGUF" + struct.pack("<IQQQcIIQ", 3, 0, 1, 1, b"x", 9, 9, 1), "list of lists"),
        (b"GGUF" + struct.pack("<IQQQcIIQ", 3, 0, 1, 1, b"x", 9, 8, 2**60), "ends in the middle"),
    ],
)
def test_a_damaged_head_is_named_with_what_is_wrong(tmp_path, content, why):
    with pytest.raises(ModelError, match=rf"model\.gguf' is damaged: .*{why}"):
        check_kind(write(tmp_path, content))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        check_kind(tmp_path / "none.gguf")
    check_memory(write(tmp_path, b"no model"), 10_000, 4096)


@pytest.mark.fuzz
@given(st.binary(max_size=300) | st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=16)))
def test_any_bytes_have_a_head_or_are_said_to_have_none(tmp_path_factory, found):
    if isinstance(found, tuple):
        at, new = found
        found = WHOLE[:at] + new + WHOLE[at + len(new) :]
    path = write(tmp_path_factory.getbasetemp(), found, "fuzzed.gguf")
    try:
        head = read_head(path)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert head.cache_bytes(4096) >= 0


def test_the_file_of_a_model_is_found_by_name_or_path(tmp_path):
    spec = find_spec("smollm2-135m-instruct-q4_1")
    assert model_file(spec.name, tmp_path) is None
    path = model_path(spec, tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"x")
    assert model_file(spec.name, tmp_path) == model_file(str(path), tmp_path / "elsewhere") == path
    assert model_file(str(tmp_path), tmp_path) is None


@pytest.mark.model
@pytest.mark.parametrize("name", ["smollm2-135m-instruct-q4_1", Settings().model])
def test_the_models_of_the_registry_write_and_say_what_they_keep(name):
    head = check_kind(model_path(find_spec(name), Settings().cache))
    assert head.cache_bytes(4096) in (94_371_840, 117_440_512)
