"""Measures in which a document is worth its grade, and a rank what a reader makes of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evalkit.errors import InputError
from evalkit.measures.registry import CUTOFF, GAINS, JUDGED_ONLY, REL, Parameter, measure
from evalkit.measures.rows import Rows, at_ranks
from evalkit.records import Codes, Floats, Judged

Gains = Mapping[int, float]

LARGEST_EXPONENT = 16  # 2^16 - 1: one such document outweighs every list of grade 1 that anybody reads
DCG = Parameter(str, "log2", choices=("log2", "exp-log2"), help="gain: the grade, or 2^grade - 1")
GRADED = {"cutoff": CUTOFF, "dcg": DCG, "gains": GAINS, "judged_only": JUDGED_ONLY}
PATIENCE = Parameter(float, 0.8, low=0.0, high=0.999999, help="chance that a reader goes on to the next rank")
MAX_REL = Parameter(int, 4, low=1, high=LARGEST_EXPONENT, help="highest grade of the scale")


@measure("nDCG", parameters=GRADED, aliases=("NDCG",), defined_on="gainful", ties="averaged")
def ndcg(rows: Rows, cutoff: int | None, dcg: str, gains: Gains | None, judged_only: bool) -> Floats:
    """Normalised discounted cumulative gain: DCG over the DCG of the perfect order of all judged documents.

    Formula: DCG / ideal DCG, with DCG = sum of gain(rank) / log2(rank + 1) over the ranks (to k); the gain is
        the grade (0 where unjudged or negative), 2^grade - 1 with dcg='exp-log2', or what `gains` declares;
        a data set may declare gains too, for measures that name neither.
    Undefined: no judged document of the query has a gain above 0 (trec_eval prints 0 there).
    Source: Järvelin and Kekäläinen, ACM TOIS 20, 2002; trec_eval `ndcg`, `ndcg_cut`. Exponential gain: Burges
        et al., ICML 2005; gdeval.
    """
    gains = declared(rows.source, gains, dcg)
    gained = discounted(rows.condensed if judged_only else rows, cutoff, dcg, gains)
    ideal = gain_of(rows.source.ideal, gains, dcg)
    if gains is not None:
        ideal = ideal[np.lexsort((-ideal, rows.ideal_query))]
    ideal = ideal * at_ranks(discount, rows.ideal_rank)
    if cutoff is not None:
        ideal = np.where(rows.ideal_rank <= cutoff, ideal, 0.0)
    return gained / np.bincount(rows.ideal_query, ideal, minlength=rows.n)


@measure("DCG", parameters=GRADED, defined_on="all", ties="averaged")
def discounted_gain(
    rows: Rows, cutoff: int | None, dcg: str, gains: Gains | None, judged_only: bool
) -> Floats:
    """Discounted cumulative gain, not normalised: queries with more relevant documents reach higher.

    Formula: sum of gain(rank) / log2(rank + 1) over the ranks (to k); gains as in nDCG.
    Undefined: never; 0 where nothing with a gain was found.
    Source: Järvelin and Kekäläinen, ACM TOIS 20, 2002; trec_eval `dcg`.
    """
    gains = declared(rows.source, gains, dcg)
    return discounted(rows.condensed if judged_only else rows, cutoff, dcg, gains)


@measure("ERR", parameters={"cutoff": CUTOFF, "max_rel": MAX_REL}, defined_on="all")
def expected_reciprocal_rank(rows: Rows, cutoff: int | None, max_rel: int) -> Floats:
    """Expected reciprocal rank: 1 / the rank at which a reader stops who may be satisfied at every document.

    Formula: sum over ranks (to k) of s(r) / r * product of (1 - s(i)) over i < r, where a document of grade g
        satisfies with s = (2^g - 1) / 2^max_rel.
    Undefined: never; 0 where nothing relevant was found. A grade above `max_rel` is refused.
    Source: Chapelle, Metlzer, Zhang and Grinspan, CIKM 2009; gdeval (its highest grade is 4).
    """
    highest = int(rows.source.ideal.max(initial=0))
    if highest > max_rel:
        raise InputError(
            f"ERR(max_rel={max_rel}): the judgments have grade {highest}; "
            + (
                f"name the scale's highest grade: ERR(max_rel={highest})"
                if highest <= LARGEST_EXPONENT
                else f"ERR knows grades to {LARGEST_EXPONENT}: regrade, or use another measure"
            )
        )
    satisfied = (np.exp2(np.maximum(rows.grade, 0)) - 1) / 2.0**max_rel
    on = np.log1p(-satisfied)
    total = np.cumsum(on)
    before = np.concatenate([[0.0], total])[rows.starts]
    left = np.exp(total - on - before[rows.query])
    return rows.sum(satisfied * left * rows.weight(lambda rank: 1.0 / rank, cutoff))


@measure(
    "RBP",
    parameters={"cutoff": CUTOFF, "p": PATIENCE, "rel": REL, "gains": GAINS},
    defined_on="all",
    ties="averaged",
)
def rank_biased_precision(
    rows: Rows, cutoff: int | None, p: float, rel: int | None, gains: Gains | None
) -> Floats:
    """Rank-biased precision: the rate at which a reader meets relevant documents who goes on with chance p.

    Formula: (1 - p) * sum of gain * p^(rank - 1) over the ranks (to k); the gain is 1 for a relevant
        document and 0 for another, or the share of 1 that `gains` declares for its grade.
    Undefined: never; 0 where nothing relevant was found. How much the unjudged could add: `RBPResidual`.
    Source: Moffat and Zobel, ACM TOIS 27, 2008; trec_eval `rbp` with gains of 0 and 1 (its p is .9).
    """
    weight = rows.weight(lambda rank: p ** (rank - 1), cutoff)
    if gains is None:
        return (1 - p) * rows.sum(weight, rows.relevant(rel))
    if rel is not None:
        raise InputError("RBP: gains say what every grade is worth: leave rel out")
    if gain_of(rows.source.ideal, gains).max(initial=0.0) > 1:
        raise InputError("RBP: gains are shares of 1: declare one for every grade, like gains={1:0.5,2:1}")
    return (1 - p) * rows.sum(weight * gain_of(rows.grade, gains))


@measure(
    "RBPResidual",
    parameters={"cutoff": CUTOFF, "p": PATIENCE},
    defined_on="all",
    worst=1.0,
    better="lower",
    ties="averaged",
)
def rank_biased_residual(rows: Rows, cutoff: int | None, p: float) -> Floats:
    """The residual of RBP: what the ranks without a judgment, and those never returned, could still add.

    Formula: 1 - (1 - p) * sum of p^(rank - 1) over the judged documents (to rank k). With all judged, RBP
        would lie between its value and its value plus this.
    Undefined: never.
    Source: Moffat and Zobel, ACM TOIS 27, 2008.
    """
    return 1.0 - (1 - p) * rows.sum(rows.weight(lambda rank: p ** (rank - 1), cutoff), rows.grade >= 0)


def discounted(rows: Rows, cutoff: int | None, dcg: str, gains: Gains | None) -> Floats:
    """Return per query the sum of discounted gains."""
    return rows.sum(gain_of(rows.grade, gains, dcg) * rows.weight(discount, cutoff))


def discount(rank: Floats) -> Floats:
    """Return what a rank is worth: 1 / log2(rank + 1)."""
    return 1.0 / np.log2(rank + 1.0)


def declared(judged: Judged, gains: Gains | None, dcg: str = "log2") -> Gains | None:
    """Return the gains that a measure names; where it names no gain at all, those of the judgments."""
    return gains if gains is not None or dcg != "log2" else judged.gains or None


def gain_of(grades: Codes, gains: Gains | None, dcg: str = "log2") -> Floats:
    """Return what each grade is worth: itself, 0 below 0, unless `gains` declares another worth.

    Raises:
        InputError: with exponential gain, the highest grade would swamp all others.
    """
    worth = np.maximum(grades, 0).astype(np.float64)
    for grade, gain in (gains or {}).items():
        worth[grades == grade] = gain
    if dcg == "log2":
        return worth
    highest = worth.max(initial=0.0)
    if highest > LARGEST_EXPONENT:
        raise InputError(
            f"dcg='exp-log2' makes grade {highest:g} worth 2^{highest:g} - 1, which swamps all other gains: "
            "use the linear gain (leave dcg out), or declare smaller gains, like gains={50:2,100:3}"
        )
    return np.exp2(worth) - 1
