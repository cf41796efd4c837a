"""Check an installation by running its real parts, each heavy one in a process of its own.

A part that dies of a signal, hangs or raises is a finding with advice, not the end of the doctor. The child is
``python -m rag_geo.doctor PART``: it reads the settings from standard input and writes its findings to standard output,
both as JSON.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from shlex import quote
from typing import Literal

from rag_geo.cpu import BuildRecord, illegal_here, instruction_sets, machine_flags, read_build_record, unused_here
from rag_geo.errors import RagGeoError, ResourceError
from rag_geo.render import visible
from rag_geo.settings import Settings, known_settings, resolve_settings

State = Literal["ok", "warn", "fail"]
GIGABYTE = 10**9
DISK_NEEDED = GIGABYTE
"""Free space below which building an index or keeping saved states may fail, in bytes."""

CHILD = (sys.executable, "-P", "-m", "rag_geo.doctor")
"""What starts a child; -P, so that no file of the working directory is taken for a module."""

_REBUILD = "rebuild llama.cpp for this machine: rm -rf .venv, then make setup"
_INSTALL = "install the pinned versions again: make setup"
_TOKENS = 10
_NORM_SLACK = 1e-3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it ("" for ok). `exit_code` is that of a failure."""

    state: State
    name: str
    finding: str
    advice: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A check that runs in a child: its time limit in seconds, and what a crash of it means."""

    name: str
    run: Callable[[Settings], Iterable[Finding]]
    limit_s: float
    exit_code: int
    advice: str


def examine(settings: Settings, *, command: Sequence[str] = CHILD) -> Iterator[Finding]:
    """Run every check, cheap ones first, and give each finding as soon as it is there.

    `command` starts a child; the name of the part is appended.
    """
    yield check_python(sys.version_info[:3])
    yield check_packages(_requirements(), installed_version)
    yield check_build(read_build_record(Path(sys.prefix)), machine_flags())
    yield check_disk(settings)
    yield check_memory(settings)
    for part in PARTS:
        yield from run_part(part, settings, [*command, part.name])


def exit_code(findings: Iterable[Finding]) -> int:
    """Give the exit code of the first failure, 0 when there is none."""
    return next((each.exit_code or 1 for each in findings if each.state == "fail"), 0)


def finding_text(finding: Finding) -> str:
    """Give a finding as one line: state, name, what was found, and what to do."""
    advice = f"  -> {visible(finding.advice)}" if finding.advice else ""
    return f"{finding.state:<4}  {finding.name:<10}  {visible(finding.finding)}{advice}"


# --- here: what cannot crash ------------------------------------------------------------------------------------


def check_python(version: Sequence[int], *, least: tuple[int, int] = (3, 11)) -> Finding:
    """Check the version of Python that runs this."""
    text = ".".join(str(number) for number in version)
    if tuple(version[:2]) < least:
        wanted = ".".join(str(number) for number in least)
        return Finding("fail", "python", f"Python {text}", f"use Python {wanted} or newer", 1)
    return Finding("ok", "python", f"Python {text}")


def check_packages(requirements: Iterable[str], installed: Callable[[str], str | None]) -> Finding:
    """Check that what the package requires is installed in a version that satisfies it.

    `requirements` are as in the metadata of a package ("click>=8.1"); `installed` gives a version or None.
    """
    from packaging.requirements import Requirement

    wrong, count = [], 0
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        version = installed(requirement.name)
        if version is None:
            wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, expected {requirement.specifier}")
    if wrong:
        return Finding("fail", "packages", "; ".join(wrong), _INSTALL, 1)
    return Finding("ok", "packages", f"{count} requirements satisfied")


def check_build(record: BuildRecord | None, here: Mapping[str, str]) -> Finding:
    """Check the instruction sets llama.cpp was built with against those of this CPU; AMX must be off.

    `record` says how it was built (None when the set-up did not build it), `here` are the CMake flags for this machine.
    """
    if record is None:
        advice = "if the model check fails with SIGILL, " + _REBUILD
        return Finding("warn", "cpu", "llama.cpp was not built by the set-up; its instruction sets are unknown", advice)
    sets = instruction_sets(record.flags)
    risky = sorted(name for name in sets if name == "NATIVE" or name.startswith("AMX"))
    illegal = sorted(illegal_here(record.flags, here))
    if risky or illegal:
        names = ", ".join(dict.fromkeys([*illegal, *risky]))
        finding = f"llama.cpp uses {names}, which this CPU does not have or may refuse (SIGILL)"
        return Finding("fail", "cpu", finding, _REBUILD, 1)
    if missing := sorted(unused_here(record.flags, here)):
        return Finding("warn", "cpu", f"this CPU has {', '.join(missing)}, llama.cpp does not use it: slower", _REBUILD)
    return Finding(
        "ok", "cpu", f"llama.cpp {record.version} built for this CPU: {', '.join(sorted(sets)) or 'base line'}"
    )


def check_disk(
    settings: Settings, *, free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Finding:
    """Check the free space where the index and the cache are; `free` gives bytes for an existing folder."""
    found = {}
    for name, path in (("index", settings.index), ("cache", settings.cache.expanduser())):
        place = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.is_dir())
        found[name] = free(place)
    text = ", ".join(f"{_size(count)} free for the {name}" for name, count in found.items())
    if min(found.values()) < DISK_NEEDED:
        return Finding("fail", "disk", text, f"free {_size(DISK_NEEDED)}, or set another index or cache folder", 6)
    return Finding("ok", "disk", text)


def check_memory(settings: Settings, *, available: Callable[[], int | None] | None = None) -> Finding:
    """Check that the model fits into the free memory; `available` gives bytes, or None where that is not known."""
    from rag_geo import models

    free = (available or models.available_memory)()
    if free is None:
        return Finding("warn", "memory", "free memory is not known on this system", "compare it with the model's size")
    path = models.model_file(settings.model, settings.cache)
    if path is None:
        return Finding("ok", "memory", f"{_size(free)} free")
    try:
        models.check_memory(path, free, settings.generation.context_size)
    except ResourceError as error:
        return _failed("memory", error)
    return Finding("ok", "memory", f"{_size(free)} free, the model file has {_size(path.stat().st_size)}")


def installed_version(name: str) -> str | None:
    """Give the installed version of a package, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> list[str]:
    """List what rag-geo requires; in a working copy, in exactly the versions it was tested with."""
    requirements = metadata.requires("rag-geo") or []
    pins = Path(__file__).parents[2] / "constraints.txt"
    names = {_name(text) for text in requirements if "extra ==" not in text}
    if not pins.is_file():
        return requirements
    lines = (line.strip() for line in pins.read_text(encoding="utf-8").splitlines())
    pinned = [line for line in lines if line and not line.startswith(("#", "-")) and _name(line) in names]
    return pinned + [text for text in requirements if _name(text) not in {_name(line) for line in pinned}]


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]).lower()


# --- in a child: what may crash ---------------------------------------------------------------------------------


def check_library(_settings: Settings) -> Iterator[Finding]:
    """Import llama.cpp."""
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        yield Finding("fail", "llama.cpp", f"cannot be imported: {error}", _REBUILD, 1)
    else:
        yield Finding("ok", "llama.cpp", f"llama-cpp-python {llama_cpp.__version__} loads")


def check_readers(settings: Settings) -> Iterator[Finding]:
    """Start a process that reads files, and see whether it has given up what reading does not need."""
    from rag_geo.readers.process import ReaderFailedError, ReaderProcess

    with ReaderProcess(settings.reading) as reader:
        try:
            missing = reader.unconfined()
        except ReaderFailedError as error:
            yield Finding("fail", "readers", f"files cannot be read: {error}", _INSTALL, 1)
        else:
            yield judge_confinement(missing)


def judge_confinement(missing: Sequence[str]) -> Finding:
    """Judge what readers could not give up, in words."""
    if missing:
        advice = "read documents of strangers on Linux, x86-64 or arm64"
        return Finding("warn", "readers", f"without {' and '.join(missing)} on this system", advice)
    return Finding("ok", "readers", "no network, no writing, no other program; memory and time bounded")


def check_model(settings: Settings) -> Iterator[Finding]:
    """Hash the model file, load it and let it write ten tokens."""
    import time

    from rag_geo.llm import LlamaGenerator
    from rag_geo.models import check_kind, resolve_model
    from rag_geo.prompts import Part as PromptPart
    from rag_geo.prompts import Prompt

    file = resolve_model(settings.model, settings.cache, trust=settings.trust_model)
    yield Finding("ok", "model", f"{file.name}: SHA-256 {file.sha256[:12]}…, {_size(file.bytes)}")
    check_kind(file.path)
    threads, room = settings.generation.threads, settings.generation.context_size
    generator = LlamaGenerator(file.path, name=file.name, sha256=file.sha256, threads=threads, context_size=room)
    prompt = Prompt("check", (PromptPart("The capital of France is the city of", trusted=False),), 0)
    start = time.perf_counter()
    written = list(generator.write(prompt, _TOKENS))
    seconds = time.perf_counter() - start
    generator.close()
    if not written:
        yield Finding("fail", "writing", "the model wrote nothing", f"rag-geo models verify {settings.model}", 5)
    else:
        yield Finding("ok", "writing", f"{len(written)} tokens in {seconds:.1f} s")


def check_embedder(settings: Settings) -> Iterator[Finding]:
    """Hash the embedder's files, load it and check vectors: dimension, unit length, and that meaning is told apart."""
    from rag_geo.embedding import load_embedder

    embedder = load_embedder(settings.embedder, settings.cache, trust=settings.trust_model)
    yield from judge_vectors(embedder.id, embedder.dimension, embedder.embed(EMBEDDED).tolist())


EMBEDDED = (
    "The treaty was signed in Beijing.",
    "China and Russia signed the agreement.",
    "Bake the bread for an hour.",
)


def judge_vectors(name: str, dimension: int, vectors: Sequence[Sequence[float]]) -> Iterator[Finding]:
    """Judge the vectors of `EMBEDDED`: all of `dimension`, of length 1, the first nearer the second than the third."""
    advice = "rag-geo models verify all-MiniLM-L6-v2"
    norms = [sum(value * value for value in vector) ** 0.5 for vector in vectors]
    sizes = {len(vector) for vector in vectors}
    near, far = (sum(a * b for a, b in zip(vectors[0], other, strict=False)) for other in vectors[1:3])
    if sizes != {dimension}:
        yield Finding(
            "fail", "embedder", f"{name}: vectors of {sorted(sizes)} numbers, expected {dimension}", advice, 5
        )
    elif not all(abs(norm - 1) < _NORM_SLACK for norm in norms):
        yield Finding("fail", "embedder", f"{name}: vector length {max(norms):.3f}, expected 1", advice, 5)
    elif not near > far:
        yield Finding("fail", "embedder", f"{name}: like sentences {near:.2f}, unlike {far:.2f}", advice, 5)
    else:
        yield Finding("ok", "embedder", f"{name}: {dimension} dimensions, length 1")


def check_index(settings: Settings) -> Iterator[Finding]:
    """Verify every file of the index by its hash, and that it was made by the embedder in use."""
    from rag_geo.embedding import load_embedder
    from rag_geo.index import Index, damages

    if found := damages(settings.index):
        for each in found:
            yield Finding("fail", "index", each.message, f"rag-geo rebuild --index {quote(str(settings.index))}", 4)
        return
    index = Index.open(settings.index)
    made = index.manifest
    yield Finding("ok", "index", f"{made.generation}: {made.documents} documents, every file as its SHA-256 says")
    index.check_embedder(load_embedder(settings.embedder, settings.cache, trust=settings.trust_model))
    yield Finding("ok", "index", f"made by the embedder in use, {made.embedder}")


PARTS = (
    Part("library", check_library, 60, 1, _REBUILD),
    Part("readers", check_readers, 60, 1, _INSTALL),
    Part("model", check_model, 300, 5, _REBUILD),
    Part("embedder", check_embedder, 120, 5, _INSTALL),
    Part("index", check_index, 300, 4, "build it again: rag-geo index DIR --rebuild"),
)


def run_part(part: Part, settings: Settings, command: Sequence[str]) -> Iterator[Finding]:
    """Run a part as a child process and give its findings, and one more when it died, hung or failed."""
    asked = json.dumps(settings_table(settings))
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, errors="replace", timeout=part.limit_s
        )
    except subprocess.TimeoutExpired as late:
        yield from _read_findings(_text(late.stdout))
        finding = f"gave no answer within {part.limit_s:g} s"
        yield Finding(
            "fail", part.name, finding, "see what else keeps the machine busy, then try again", part.exit_code
        )
        return
    except OSError as error:
        yield Finding("fail", part.name, f"could not be started: {error}", _INSTALL, 1)
        return
    found = list(_read_findings(done.stdout))
    yield from found
    if done.returncode < 0:
        yield Finding("fail", part.name, f"died of {_signal_name(-done.returncode)}", part.advice, part.exit_code)
    elif done.returncode > 0 or not found:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        yield Finding("fail", part.name, f"ended with code {done.returncode}: {said}", part.advice, part.exit_code)


def settings_table(settings: Settings) -> dict[str, object]:
    """Give settings as dotted names and plain values, for `resolve_settings` on the other side."""
    plain = asdict(settings)
    table = {}
    for key in known_settings():
        section, _, name = key.rpartition(".")
        value = plain[section][name] if section else plain[name]
        table[key] = str(value) if isinstance(value, Path) else value
    return table


def run_child(name: str, asked: str, parts: Sequence[Part] = PARTS) -> Iterator[str]:
    """Be the child: run the part called `name` with the settings in `asked` (JSON) and give each finding as a line."""
    part = next(each for each in parts if each.name == name)
    table = {key: Path(value) if known_settings()[key] is Path else value for key, value in json.loads(asked).items()}
    try:
        for finding in part.run(resolve_settings(flags=table)):
            yield json.dumps(asdict(finding))
    except RagGeoError as error:
        yield json.dumps(asdict(_failed(part.name, error)))


def _failed(name: str, error: RagGeoError) -> Finding:
    return Finding("fail", name, error.message, error.hint, error.exit_code)


def _read_findings(output: str) -> Iterator[Finding]:
    """Read the findings among the lines of a child; libraries may have written others."""
    for line in output.splitlines():
        try:
            yield Finding(**json.loads(line))
        except (ValueError, TypeError):
            continue


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    meanings = {"SIGILL": "illegal instruction", "SIGSEGV": "memory fault", "SIGKILL": "perhaps out of memory"}
    return f"{name} ({meanings[name]})" if name in meanings else name


def _size(count: int) -> str:
    return f"{count / GIGABYTE:.1f} GB" if count >= GIGABYTE else f"{count / 10**6:.0f} MB"


if __name__ == "__main__":
    for output_line in run_child(sys.argv[1], sys.stdin.read()):
        sys.stdout.write(f"{output_line}\n")
        sys.stdout.flush()
