"""The chat as a program of the checkout: ``python app.py`` is ``rag-geo chat``, with the same options.

Without ``--index`` it opens the user's own index, index/default, or, as long as there is none, that of the documents
which come with the checkout, index/corpus.
"""

import sys
from pathlib import Path

from rag_geo.cli import main

if __name__ == "__main__":
    own, theirs = Path("index/default"), Path("index/corpus")
    given = any(word == "--index" or word.startswith("--index=") for word in sys.argv[1:])
    chosen = ["--index", str(theirs)] if not given and theirs.exists() and not own.exists() else []
    sys.argv[1:] = ["chat", *chosen, *sys.argv[1:]]
    main()
