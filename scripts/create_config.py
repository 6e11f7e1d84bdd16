"""`create-config`: the training config of an encoder, a head and a corpus."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("create-config")
