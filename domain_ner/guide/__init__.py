"""The annotation guide: what each type means, as rules that can be checked.

Public: `load_guide` (`schema`), `Guide` (`schema`), `validate` (`validate`), `guide_skeleton` (`skeleton`).
"""
