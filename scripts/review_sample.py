"""`review-sample`: a stratified random sample for people to review, and its review read back."""

from domain_ner.commands.main import run_script

if __name__ == "__main__":
    run_script("review-sample")
