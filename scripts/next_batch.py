"""`next-batch`: the raw passages from which the pipeline learns most, as tasks for annotation tools."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("next-batch")
