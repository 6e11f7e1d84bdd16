"""`pseudo-label`: label raw texts for training, and admit the labels once a reviewed sample proves them."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("pseudo-label")
