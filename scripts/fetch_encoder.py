"""`fetch-encoder`: bring the encoder's files here, and describe them in a card."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("fetch-encoder")
