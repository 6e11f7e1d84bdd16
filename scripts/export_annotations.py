"""`export`: a corpus, predictions or annotation exports as files of another annotation tool or trainer."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("export")
