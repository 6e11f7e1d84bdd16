"""`evaluate`: score a pipeline on the held-out test corpus."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("evaluate")
