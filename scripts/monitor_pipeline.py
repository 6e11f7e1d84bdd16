"""`monitor`: production against what the pipeline was measured on, without labels."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("monitor")
