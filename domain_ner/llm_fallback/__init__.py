"""`llm_fallback`, a pipeline component: asks a language model where the recogniser is unsure, and joins both answers.

`choosing` says which documents are asked, `joining` what both together make likely, `fitting` how far the model can be
trusted, `asking` calls it.
Public: `create_llm_fallback` (`factory`), `LlmFallback` (`component`), `fit` (`fitting`).
"""
