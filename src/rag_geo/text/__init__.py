"""Text: characters that count, sentences, quotes, and the facts of a sentence. Pure."""
