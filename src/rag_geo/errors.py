"""Everything that can go wrong in a way the user can mend.

::

    RagGeoError                 exit 1   base; never raised itself
    ├── UsageError              exit 2   the question, a flag or a setting is not usable
    ├── CorpusError             exit 2   the folder of documents cannot be walked
    ├── StoredIndexError        exit 4   base of everything about the index on disk
    │   ├── IndexMissingError            no index at this path
    │   ├── IndexMismatchError           of another folder, embedder or format
    │   ├── IndexDamagedError            a file is not what the manifest says
    │   └── IndexLockedError             another process is writing
    ├── ModelError              exit 5   a model file is missing, damaged, of the wrong hash or unloadable
    │   └── GenerationError              the model could not read the prompt or write the answer
    └── ResourceError           exit 6   disk, memory or a port

A file that cannot be read is not an error: it is a `Skipped` record and the rest goes on (exit 3).
Not finding an answer is not an error either: it is an `Answer` with the status ``not_found``.
"""


class RagGeoError(Exception):
    """What happened and where (`message`), and the command or step that mends it (`hint`)."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RagGeoError):
    """A question, flag or setting that cannot be used."""

    exit_code = 2


class CorpusError(RagGeoError):
    """The folder of documents is missing, unreadable or holds nothing to index."""

    exit_code = 2


class StoredIndexError(RagGeoError):
    """Something about the index on disk."""

    exit_code = 4


class IndexMissingError(StoredIndexError):
    """There is no index at the path."""


class IndexMismatchError(StoredIndexError):
    """The index is of another folder, or was made by another embedder or in another format."""


class IndexDamagedError(StoredIndexError):
    """A file of the index is not what its manifest says."""


class IndexLockedError(StoredIndexError):
    """Another process is writing this index."""


class ModelError(RagGeoError):
    """A model file is missing, damaged, of the wrong hash or cannot be loaded."""

    exit_code = 5


class GenerationError(ModelError):
    """The model could not read a prompt or write an answer."""


class ResourceError(RagGeoError):
    """Disk, memory or a port is not available."""

    exit_code = 6
