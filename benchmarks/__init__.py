"""Speed and memory, each figure beside a named reference measured in the same run: ``python -m benchmarks``."""
