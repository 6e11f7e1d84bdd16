"""`guide-examples`: write the marked sentences of the guide as silver passages."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("guide-examples")
