"""`find-label-errors`: annotations that are likely wrong, as a list and as review tasks."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("find-label-errors")
