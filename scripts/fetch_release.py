"""`fetch-release`: the checked wheels of the version in use."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("fetch-release")
