"""What happens before `spacy project run`: misspelt variables are errors, and a change of code runs commands again.

Knows project.yml, and nothing of what the commands do.
Public: `before_run` (`hook`), `prepare` (`preparation`), `refresh` (`fingerprints`), `Sources` (`code`),
`files_of` (`code`), `unknown_variables` (`variables`).
"""
