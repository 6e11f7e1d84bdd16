"""`convert`: annotation exports to train, dev and test corpora, with an account of every annotation."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("convert")
