"""A local assistant that answers from a folder of documents and proves every sentence with a paragraph."""
