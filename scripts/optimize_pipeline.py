"""`optimize`: a pipeline that runs without PyTorch, compared with the trained one."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("optimize")
