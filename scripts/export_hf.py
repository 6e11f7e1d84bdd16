"""`export-hf`: the pipeline as a token classifier of transformers, with what that costs."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("export-hf")
