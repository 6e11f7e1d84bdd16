"""`distil`: write what a large pipeline thinks of raw texts, for a smaller one to learn from."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("distil")
