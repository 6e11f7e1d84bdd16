"""`rollback`: take the former version into use again."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("rollback")
