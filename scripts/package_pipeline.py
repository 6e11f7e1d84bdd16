"""`package`: a wheel of the pipeline that is proved to install and to predict the same."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("package")
