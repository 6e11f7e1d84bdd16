"""`llm_fallback`, a pipeline component: asks a language model where the recogniser is unsure, and joins both answers.

`component` asks for the documents that need it, by `asking`; `joining` says what both together make likely, `fitting`
how far the model can be trusted, `comparing` what it brings.
Public: `create_llm_fallback` (`factory`), `LlmFallback` (`component`), `fit` (`fitting`).
"""
