"""`calibrate`: make the confidences of a pipeline honest, and choose how sure it must be."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("calibrate")
