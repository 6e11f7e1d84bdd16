"""`train`: train a pipeline from a config, with early stopping."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("train")
