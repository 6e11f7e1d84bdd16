"""`release`: a new version in the registry, if it is not worse than the one in use."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("release")
