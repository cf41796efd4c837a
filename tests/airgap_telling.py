"""The page of the chat with one protection taken out: Gradio may tell its makers that it is used."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from rag_geo.chat.importing import import_gradio
from rag_geo.chat.room import House
from rag_geo.chat.serve import gradio_app


def main() -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "True"  # noqa: TID251
    gradio = import_gradio()
    made = gradio.Blocks.__init__

    def talkative(self, *given, **options):
        made(self, *given, **{**options, "analytics_enabled": True})

    gradio.Blocks.__init__ = talkative
    gradio_app(House(lambda _: None))
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(60)


if __name__ == "__main__":
    main()
    os._exit(0)
