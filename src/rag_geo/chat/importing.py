"""Makes the start short: Gradio is imported in half the time it takes by itself, and the collector of cycles rests.

While it is imported Gradio writes a file of type stubs beside each of its components, or compares the one that is
there: work for those who write components, half of the time of the import, and a program that serves a page has no
business writing into its installation. It is left out here; nothing else of Gradio is touched.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_MODULE = "gradio.component_meta"
_WRITER = "create_or_modify_pyi"


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, _WRITER):
            setattr(module, _WRITER, lambda *_: None)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def import_gradio() -> ModuleType:
    """Import Gradio without its writing of stubs. Raises what its import raises."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        return import_module("gradio")
    finally:
        sys.meta_path.remove(finder)


class Rest:
    """A rest of the collector of cycles, while modules and models are loaded that stay for good anyway.

    It looks through all there is again and again, which takes a fifth of the time of the start. At the `end` what is
    there by then is put out of its sight: later collections, in the middle of answers, look through what is new alone.
    """

    def __init__(self) -> None:
        self._ended = not gc.isenabled()
        gc.disable()

    def end(self) -> None:
        """Let it work again; a second time does nothing."""
        if not self._ended:
            self._ended = True
            gc.freeze()
            gc.enable()


@contextmanager
def resting() -> Iterator[Rest]:
    """Give a rest that ends with the block at the latest; what was put out of sight is seen again then."""
    rest = Rest()
    try:
        yield rest
    finally:
        rest.end()
        gc.unfreeze()
