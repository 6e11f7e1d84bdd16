"""`validate`: the annotation guide against itself, and the annotations against the guide."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("validate")
