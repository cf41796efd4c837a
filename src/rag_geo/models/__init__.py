"""Where model files come from: list, pull and check them by SHA-256. The list itself is `models.toml`."""

from rag_geo.models.checking import (
    ModelFile,
    ModelState,
    available_memory,
    check_memory,
    embedder_folder,
    model_file,
    model_path,
    model_state,
    resolve_model,
    verify,
)
from rag_geo.models.files import HashMemory, Progress, Report
from rag_geo.models.head import check_kind
from rag_geo.models.pulling import Outside, pull
from rag_geo.models.registry import HubSource, ModelSpec, PackageSource, PinnedFile, WheelSource, find_spec, registry
from rag_geo.models.wheels import WheelLink, ask_pip

__all__ = [
    "HashMemory",
    "HubSource",
    "ModelFile",
    "ModelSpec",
    "ModelState",
    "Outside",
    "PackageSource",
    "PinnedFile",
    "Progress",
    "Report",
    "WheelLink",
    "WheelSource",
    "ask_pip",
    "available_memory",
    "check_kind",
    "check_memory",
    "embedder_folder",
    "find_spec",
    "model_file",
    "model_path",
    "model_state",
    "pull",
    "registry",
    "resolve_model",
    "verify",
]
