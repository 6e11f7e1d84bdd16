"""`python -m domain_ner`: the same as `domain-ner`."""

from domain_ner.commands.main import run

if __name__ == "__main__":
    run()
