"""`promote`: take a released version into use."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("promote")
