"""The page: a Gradio app where every sentence opens its paragraph."""
