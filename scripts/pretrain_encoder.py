"""`pretrain-encoder`: let the encoder read text of your domain before it is trained."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("pretrain-encoder")
