"""``python -m rag_geo`` is ``rag-geo``."""

from rag_geo.cli import main

if __name__ == "__main__":
    main()
