"""`serve`: a pipeline over HTTP, with a page to try it on."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("serve")
