"""The annotation guide: the definition of each type, with rules that can be checked.

Public: `load_guide` (`schema`), `Guide` (`schema`), `validate` (`validate`), `guide_skeleton` (`skeleton`),
`guide_passages` (`sentences`).
"""
