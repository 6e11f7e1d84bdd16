"""The annotation guide: what each type means, as rules that can be checked."""
