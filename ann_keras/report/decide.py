"""The rule by which every claim of the report is judged.

A claim is one `published.Clause` or several, written before the runs that decide them: an effect,
how it is estimated from one value a seed, and the side of a margin on which it must lie. A clause
holds where the whole 95% interval of its effect is beyond the margin, fails where the whole of it
is on the other side, and is open otherwise. All clauses of a claim must hold; one that fails
refutes it, by the interval of 1 − 0.05/k where a claim has k comparisons of which any may fail.
Fewer than three seeds decide nothing. Where each seed is scored on the same images, intervals say
how other seeds would differ on these images, not how others would.

Intervals of means are Student's t, of logarithms for ratios, at any number of seeds: a bootstrap
of ten normal values gives twice as many false verdicts (tests/test_decide.py counts both). Those of
shares are Clopper and Pearson's; that of one of two groups beating the other is the same, with as
many runs as the smaller group has, which is an upper bound of its variance (Birnbaum and Klose,
Ann. Math. Statist. 28, 1957). That of a rank correlation is Bonett and Wright's (Psychometrika 65,
2000).
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

ENOUGH = 3  # seeds below which nothing is decided
_MOST = 1_000  # seeds beyond which a claim is not going to be decided
_LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """What one clause, or one of its comparisons, was found to be."""

    name: str  # in words
    estimate: float  # in `unit`, as the next three
    low: float  # ends of the 95% interval; of a published number, of 95% of single runs
    high: float
    margin: float  # or the published number
    unit: str
    direction: str  # "above", "below" or "within" the margin, or "holds" the published number
    asked: str  # the same in words, with the number
    n: int  # seeds, or what else is drawn anew
    verdict: str  # "reproduced", "refuted" or "undecided"
    seeds: int | None = None  # that would probably decide it


@dataclass(frozen=True)
class Verdict:
    """What is said of a claim."""

    verdict: str  # "reproduced", "refuted", "artefact" or "undecided"
    evidence: str  # one sentence
    n: int  # seeds of the smallest group behind the verdict; 0 where all is exact
    effects: tuple[Effect, ...] = ()
    deviation: str = ""  # the D-point behind an artefact


def judge(claim, values, corrected=None):
    """Judge a claim.

    Args:
        claim: ``published.Claim``.
        values: dict of clause → what was measured: an array (seeds,), a pair of them where two
            things are compared (seed by seed if the clause is paired), one bool of an exact fact,
            or a dict of several of these by name, all of which must hold. A clause that is missing
            or compares nothing was not measured.
        corrected: the same by the corrected protocol. A claim that holds as published and fails
            there is an artefact.

    Returns:
        ``Verdict``.

    Raises:
        ValueError: values are none or not finite, or the claim has no such clause.
    """
    verdict, texts, effects = _judge_protocol(claim, values)
    deviation = ""
    if corrected is not None:
        again, others, more = _judge_protocol(claim, corrected)
        if verdict == "reproduced":
            verdict = "artefact" if again == "refuted" else again
        deviation = claim.deviation if verdict == "artefact" else ""
        texts = ["as published: " + "; ".join(texts), "corrected: " + "; ".join(others)]
        effects = [
            dataclasses.replace(effect, name=f"{protocol}: {effect.name}")
            for protocol, group in (("as published", effects), ("corrected", more))
            for effect in group
        ]
    text = "; ".join(texts) + "."
    behind = [effect for effect in effects if effect.verdict == "refuted"]
    if verdict not in ("refuted", "artefact") or not behind:
        behind = effects
    return Verdict(verdict, text[0].upper() + text[1:],
                   min((effect.n for effect in behind), default=0), tuple(effects), deviation)


def interval(values, level=_LEVEL):
    """Mean of values, one a seed, and its interval (Student's t), infinite for one value."""
    values = np.asarray(values, float)
    mean, number = values.mean(), values.size
    half = _t(number, level) * values.std(ddof=1) / np.sqrt(number) if number > 1 else np.inf
    return mean, mean - half, mean + half


def rank_correlation(first, second):
    """Spearman's correlation of two lists of numbers; 0 where all of one are equal."""
    from scipy.stats import spearmanr

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)


def in_words(effect):
    """An effect as part of a sentence."""
    unit = f" {effect.unit}" if effect.unit else ""
    bounds = "95% of runs" if effect.direction == "holds" else "95%"
    text = (f"{effect.name}: {_number(effect.estimate)}{unit} ({bounds} {_number(effect.low)} to "
            f"{_number(effect.high)}; {effect.asked}; n = {effect.n}")
    return f"{text}; about {effect.seeds} would decide)" if effect.seeds else f"{text})"


def _judge_protocol(claim, values):
    """One verdict of all clauses, what decides each in words, and the effects."""
    if unknown := values.keys() - claim.clauses.keys():
        raise ValueError(f"claim {claim.id} has no clause {', '.join(sorted(unknown))}")
    verdicts, texts, effects = set(), [], []
    number = sum(len(value) if isinstance(value, dict) else 1 for value in values.values())
    for name, clause in claim.clauses.items():
        parts = values.get(name, {})
        if isinstance(parts, dict) and not parts:
            verdicts.add("undecided")
            texts.append(f"{clause.effect}: not measured with these settings")
            continue
        parts = parts if isinstance(parts, dict) else {"": parts}
        parts = {f"{clause.effect}, {label}" if label else clause.effect: part
                 for label, part in parts.items()}
        if clause.estimand == "exact":
            verdicts |= {"reproduced" if holds else "refuted" for holds in parts.values()}
            texts += [f"{text}: {'yes' if holds else 'no'} (exact)"
                      for text, holds in parts.items()]
            continue
        found = [_effect(clause, text, part, number) for text, part in parts.items()]
        verdicts |= {effect.verdict for effect in found}
        effects += found
        weakest = in_words(min(found, key=lambda effect: _strength(clause, effect)))
        texts.append(weakest if len(found) == 1
                     else f"of {len(found)} comparisons the weakest: {weakest}")
    verdict = next(v for v in ("refuted", "undecided", "reproduced") if v in verdicts)
    return verdict, texts, effects


def _effect(clause, name, value, number):
    """The ``Effect`` of one of so many comparisons."""
    groups = [np.asarray(group, float)
              for group in (value if isinstance(value, tuple) else (value,))]
    if not all(group.ndim == 1 and group.size and np.isfinite(group).all() for group in groups):
        raise ValueError(f"{name}: values must be finite, one a seed")
    n = min(group.size for group in groups)
    estimand, factor = _ESTIMANDS[clause.estimand], 100 if clause.unit in ("points", "%") else 1
    (estimate, low, high), (_, lowest, highest) = (  # margins are in the unit
        (factor * float(value) for value in estimand(clause, level, *groups))
        for level in (_LEVEL, 1 - (1 - _LEVEL) / number)
    )
    if clause.direction == "holds":
        margin = factor * clause.margin
        asked = f"published {_number(margin)}"
        holds, fails = low <= margin <= high, not lowest <= margin <= highest
    else:
        margin, (bottom, top) = clause.margin, _range(clause)
        asked = (f"asked {_number(bottom)} to {_number(top)}" if clause.direction == "within"
                 else f"asked {clause.direction} {_number(margin)}")
        holds, fails = bottom < low and high < top, highest < bottom or lowest > top
    verdict = "reproduced" if holds else "refuted" if fails else "undecided"
    seeds = None
    if n < ENOUGH or verdict == "undecided":
        verdict, seeds = "undecided", _seeds(clause, n, estimate, low, high)
    low, high = (float(np.clip(end, *clause.bounds)) for end in (low, high))
    return Effect(name, estimate, low, high, float(margin), clause.unit, clause.direction, asked, n,
                  verdict, seeds)


def _difference(clause, level, first, second=None):
    if second is None or clause.paired:
        return interval(first if second is None else first - second, level)
    from scipy.stats import ttest_ind

    mean = first.mean() - second.mean()
    if min(first.size, second.size) < 2:
        return mean, -np.inf, np.inf
    if np.ptp(first) == np.ptp(second) == 0:
        return mean, mean, mean
    return mean, *ttest_ind(first, second, equal_var=False).confidence_interval(level)


def _ratio(clause, level, *groups):
    return np.exp(_difference(clause, level, *map(np.log, groups)))


def _share(clause, level, held):
    return _proportion(held.mean(), held.size, level)


def _improvement(clause, level, first, second):
    """Probability that a run of the first group has more than one of the second, ties half."""
    ahead = np.sign(first - second if clause.paired else np.subtract.outer(first, second))
    return _proportion((ahead.mean() + 1) / 2, min(first.size, second.size), level)


def _correlation(clause, level, first, second):
    from scipy.special import ndtri

    value = rank_correlation(first, second)
    if first.size < 4:
        return value, -1.0, 1.0
    half = ndtri((1 + level) / 2) * np.sqrt((1 + value**2 / 2) / (first.size - 3))
    middle = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    return value, np.tanh(middle - half), np.tanh(middle + half)


def _single_run(clause, level, values):
    """Median and a central part of single runs."""
    values = np.log(values) if clause.log else values
    if values.size * (1 - level) >= 2:  # then both ends lie among the runs
        found = np.quantile(values, [0.5, (1 - level) / 2, (1 + level) / 2], method="weibull")
    else:
        mean, low, high = interval(values, level)
        wider = np.sqrt(values.size + 1)
        found = np.array([np.median(values), mean - wider * (mean - low),
                          mean + wider * (high - mean)])
    return np.exp(found) if clause.log else found


_ESTIMANDS = {"difference": _difference, "ratio": _ratio, "share": _share,
              "improvement": _improvement, "rank correlation": _correlation,
              "single run": _single_run}


def _t(number, level=_LEVEL):
    """The quantile of Student's t that bounds the means of so many values."""
    from scipy.special import stdtrit

    return stdtrit(number - 1, (1 + level) / 2)


def _proportion(share, number, level):
    """A share and its interval."""
    from scipy.special import betaincinv

    count, tail = share * number, (1 - level) / 2
    low = betaincinv(count, number - count + 1, tail) if count > 0 else 0.0
    high = betaincinv(count + 1, number - count, 1 - tail) if count < number else 1.0
    return share, low, high


def _range(clause):
    """The ends between which an effect must lie."""
    if clause.direction == "within":
        if clause.estimand == "ratio":
            return clause.target / clause.margin, clause.target * clause.margin
        return clause.target - clause.margin, clause.target + clause.margin
    lowest = 0.0 if clause.estimand == "ratio" else -np.inf
    return (clause.margin, np.inf) if clause.direction == "above" else (lowest, clause.margin)


def _strength(clause, effect):
    """How far beyond its margin an effect lies, in widths of its interval."""
    scale = np.log if clause.estimand == "ratio" or clause.log else np.asarray
    bottom, top = (effect.margin,) * 2 if clause.direction == "holds" else _range(clause)
    with np.errstate(divide="ignore", invalid="ignore"):  # ratios of one seed reach from 0 to ∞
        estimate, low, high, bottom, top = map(
            scale, (effect.estimate, effect.low, effect.high, bottom, top)
        )
    distance = min(estimate - bottom, top - estimate)
    return distance / (high - low) if high > low else distance


def _seeds(clause, n, estimate, low, high):
    """Seeds whose interval would, at this estimate and spread, leave the margin out, or None."""
    if clause.direction == "holds" or clause.fixed or n < 2 or not np.isfinite([low, high]).all():
        return None
    edges = _range(clause)
    if clause.estimand == "ratio":
        with np.errstate(divide="ignore"):  # the end of ratios is 0
            estimate, low, high, *edges = np.log([estimate, low, high, *edges])
    distance = min(abs(estimate - edge) for edge in edges)
    deviation = (high - low) / 2 / _t(n) * np.sqrt(n)
    numbers = np.arange(max(n + 1, ENOUGH), _MOST + 1)
    enough = _t(numbers) * deviation / np.sqrt(numbers) < distance
    return int(numbers[enough.argmax()]) if enough.any() else None


def _number(value):
    if not np.isfinite(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")
