"""`compare`: two pipelines on the same test set; the release gate."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("compare")
