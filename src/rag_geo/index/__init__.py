"""The index on disk: built and updated as immutable generations, opened and verified as a whole."""

from rag_geo.index.build import IndexReport, update_index
from rag_geo.index.manifest import Manifest
from rag_geo.index.store import Entry, Index

__all__ = ["Entry", "Index", "IndexReport", "Manifest", "update_index"]
