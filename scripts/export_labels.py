"""`export-labels`: the guide's types as annotation tools take them."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("export-labels")
