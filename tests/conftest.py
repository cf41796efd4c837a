"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A machine under load is no failure of a single example; the time limit of the whole test is in pyproject.toml.
settings.register_profile("rag-geo", deadline=None)
settings.load_profile("rag-geo")
