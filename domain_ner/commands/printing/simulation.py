"""Prints the result of `simulate-annotation`: F1 by number of passages, and how many are needed."""

from domain_ner.commands.console import out, table
from domain_ner.reports.simulation_report import mean_f1, needed_rows
from domain_ner.selecting.schema import Simulation


def print_simulation(simulation: Simulation) -> None:
    """Print the mean F1 of each strategy by number of passages, and the passages that each needs."""
    sizes = [one.n_passages for one in next(iter(simulation.strategies.values())).rounds]
    title = f"test F1 by annotated passages, mean of {simulation.n_seeds} seeds"
    printed = table("strategy", *(f"{n:,}" for n in sizes), title=title)
    for name, curve in simulation.strategies.items():
        printed.add_row(name, *(mean_f1(one) for one in curve.rounds))
    out.print(printed)
    needed = table("strategy", *needed_rows(simulation)[0][1:], title="passages needed, and the share of random's")
    for row in needed_rows(simulation)[1:]:
        needed.add_row(*row)
    out.print(needed)
