"""Speed and memory, each figure beside a named reference measured in the same run: ``python -m benchmarks``."""

import os

from rag_geo.cpu import prefer_fast_blas

# As the command line does, and like it before NumPy is imported.
prefer_fast_blas(os.environ)  # noqa: TID251
