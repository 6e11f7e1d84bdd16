"""`annotate`: all documents of files, folders or URLs, in several processes, resumable."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("annotate")
