"""Defines the command line, `domain-ner COMMAND`: one module per command, and shared code.

A command reads its options, calls the rooms below, prints, and saves. No other room prints or reads the command line.
spaCy and PyTorch take seconds to import: a command imports them, and modules that need them, inside its function, so
that `--help` appears at once. `printing` prints the results.
Public: `run` (`main`), `run_script` (`main`), `run_function` (`main`), `load` (`loading`), `COMMANDS` (`catalogue`).
"""
