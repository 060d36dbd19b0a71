"""What CI says in the end of the rehearsals that it played: how often Fanous was right."""

from statistics import median

import pytest

from fanous_lab.evaluation.rehearsal.score import Score

PLAYED: list[Score] = []
"""One a rehearsal, in the order in which they were played."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, if any was played."""
    if PLAYED:
        terminalreporter.write_line(how_often_right(PLAYED))


def how_often_right(scores: list[Score]) -> str:
    """In words."""
    wanted = [met for score in scores for met in score.met]
    labels = [one.label for score in scores for one in score.found if one.events]
    seconds = [
        one.seconds_to_confirm
        for score in scores
        for one in score.found
        if one.seconds_to_confirm is not None
    ]
    return (
        f"rehearsals with real packets: {len(scores)} played; "
        f"{sum(not met.why for met in wanted)} of {len(wanted)} expected incidents found, "
        f"{sum(label in ('exact', 'coarser') for label in labels)} of {len(labels)} with a right mechanism; "
        f"{sum(len(score.false_confirmed) for score in scores)} false confirmations, "
        f"{sum(len(score.false) - len(score.false_confirmed) for score in scores)} false suspicions; "
        + (f"median {median(seconds):.0f} s to confirm" if seconds else "none confirmed")
    )
