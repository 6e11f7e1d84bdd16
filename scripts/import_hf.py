"""`import-hf`: a fine-tuned token classifier of transformers as a spaCy pipeline."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("import-hf")
