"""Asks a language model at an OpenAI-compatible endpoint for the entities of a passage, and grounds what it answers.

Knows no spaCy. Needs httpx (the extra `llm`), which is imported when the first call is made.
Public: `Client` (`client`), `Endpoint` (`client`), `Budget` (`budget`), `Cache` (`cache`), `Prompt` (`prompting`),
`ground` (`grounding`), `Extractor` (`extracting`), `chat_url` (`endpoints`).
"""
