"""`complete-annotations`: adds the types that exports were not annotated for, by a pipeline's sure answers."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("complete-annotations")
