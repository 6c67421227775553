"""Intervals and verdicts from values over seeds."""

import numpy as np

ENOUGH = 3  # seeds below which claims on samples are not decided


def interval(differences):
    """95% confidence interval (Student's t) of the mean of paired differences, one a seed.

    Returns:
        Its lower and upper end; infinite for a single seed.
    """
    from scipy.stats import t

    differences = np.asarray(differences)
    number = differences.size
    if number < 2:
        return -np.inf, np.inf
    margin = t.ppf(0.975, number - 1) * differences.std(ddof=1) / np.sqrt(number)
    return differences.mean() - margin, differences.mean() + margin


def above(differences, threshold=0.0):
    """Whether a mean difference lies above a threshold: True, False or "undecided".

    Undecided where the 95% interval holds the threshold.
    """
    low, high = interval(differences)
    return True if low > threshold else False if high < threshold else "undecided"


def together(verdicts):
    """One verdict of several: a single counter-example refutes."""
    verdicts = set(verdicts)
    if False in verdicts:
        return False
    return verdicts.pop() if len(verdicts) == 1 else "undecided"


def p_value(first, second):
    """Two-sided p-value that two samples come from one distribution (Mann, Whitney)."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(first, second).pvalue)


def rank_correlation(first, second):
    """Spearman's correlation of two lists of numbers; 0 where all of one are equal."""
    from scipy.stats import spearmanr

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)


def share_margin(share, number):
    """Half the 95% interval of a share of so many images (normal approximation)."""
    return 1.96 * np.sqrt(share * (1 - share) / number)


def with_enough_seeds(verdict, seeds):
    """The verdict, or "undecided" where it is None or comes from fewer than three seeds."""
    return "undecided" if verdict is None or seeds < ENOUGH else verdict


def over_seeds(held, possible=None):
    """A verdict of something that holds or does not in each seed.

    Args:
        held: bool array (seeds,).
        possible: where it is not out of the question either; None for where it holds.

    Returns:
        True if it holds in every seed, "undecided" if it is possible in any or there are fewer
        than three seeds, False otherwise.
    """
    possible = held if possible is None else possible
    verdict = True if np.all(held) else None if np.any(possible) else False
    return with_enough_seeds(verdict, len(held))
