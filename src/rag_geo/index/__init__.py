"""The index on disk: built and updated as immutable generations, opened and verified as a whole."""

from rag_geo.index.build import IndexReport, purge, rebuild_index, update_index
from rag_geo.index.left_out import REASON as LEFT_OUT
from rag_geo.index.left_out import change_left_out, read_left_out
from rag_geo.index.manifest import Manifest
from rag_geo.index.present import Present
from rag_geo.index.salvage import damages
from rag_geo.index.store import Entry, Index

__all__ = [
    "LEFT_OUT",
    "Entry",
    "Index",
    "IndexReport",
    "Manifest",
    "Present",
    "change_left_out",
    "damages",
    "purge",
    "read_left_out",
    "rebuild_index",
    "update_index",
]
