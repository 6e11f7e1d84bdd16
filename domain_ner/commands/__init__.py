"""The command line: one module a command, `domain-ner COMMAND`, and what they share.

A command reads its options, calls the rooms below, prints, and saves. The only room that prints and reads the command
line. spaCy and PyTorch take seconds to import: a command imports them, and what needs them, in its function, so that
`--help` is there at once. `printing` has what they print of results.
Public: `run` (`main`), `run_script` (`main`), `run_function` (`main`), `load` (`loading`), `COMMANDS` (`catalogue`).
"""
