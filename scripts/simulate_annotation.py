"""`simulate-annotation`: what choosing passages saves, replayed on passages that are annotated already."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("simulate-annotation")
