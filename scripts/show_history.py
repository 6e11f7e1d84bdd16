"""`history`: what was released, promoted and rolled back."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("history")
