"""`learning-curve`: what more annotation would bring, from trainings on parts of the data."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("learning-curve")
