"""`init-guide`: the first draft of an annotation guide, from annotations."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("init-guide")
