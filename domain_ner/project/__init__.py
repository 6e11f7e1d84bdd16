"""Prepares `spacy project run`: rejects misspelt variables, and makes code changes rerun commands.

Knows project.yml, but not what the commands do.
Public: `before_run` (`hook`), `prepare` (`preparation`), `refresh` (`fingerprints`), `Sources` (`code`),
`files_of` (`code`), `unknown_variables` (`variables`).
"""
