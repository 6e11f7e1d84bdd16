"""`draft`: annotations of raw passages to start from, by the annotation guide alone, as tasks for annotation tools."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("draft")
