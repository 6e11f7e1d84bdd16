"""`inspect`: look at the corpus before training, in the terminal and as an HTML page."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("inspect")
