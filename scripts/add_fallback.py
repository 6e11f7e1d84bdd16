"""`add-fallback`: add a language model to a pipeline for what it is unsure of, and say what that brings."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("add-fallback")
