"""Finite-sample bounds on a mean: p-values for "the risk is above alpha" and upper confidence bounds.

Losses are independent over queries and lie in [0, 1]. A p-value is valid: where the risk is above alpha,
P(p <= delta) <= delta for every n. Sources: Clopper and Pearson 1934; Bates et al., Distribution-free
risk-controlling prediction sets, JACM 2021 (Hoeffding-Bentkus); Waudby-Smith and Ramdas, Estimating means of
bounded random variables by betting, JRSS B 2024; Angelopoulos et al., Conformal risk control, ICLR 2024.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from evalkit.records import Floats, Ints

Column = Floats  # one value for each column of losses (n,) or (n, columns)


def binomial_p(count: Column, n: int, alpha: float) -> Column:
    """Return P(Bin(n, alpha) <= count), the exact p-value for 0/1 losses; 1 where n is 0."""
    from scipy.special import bdtr

    count = np.asarray(count, dtype=np.float64)
    return np.asarray(bdtr(np.minimum(count, n), n, alpha)) if n else np.ones_like(count)


def binomial_upper(count: Column, n: int, delta: float) -> Column:
    """Return the Clopper-Pearson upper bound of a risk at confidence 1 - delta; 1 where every query lost."""
    from scipy.special import betaincinv

    count = np.asarray(count, dtype=np.float64)
    if n == 0:
        return np.ones_like(count)
    inside = np.minimum(count, n - 1e-12)
    return np.where(count >= n, 1.0, betaincinv(inside + 1, n - inside, 1 - delta))


def binomial_lower(count: Column, n: int, delta: float) -> Column:
    """Return the Clopper-Pearson lower bound of a risk at confidence 1 - delta."""
    return 1 - binomial_upper(n - np.asarray(count, dtype=np.float64), n, delta)


def betting_log_capital(losses: Floats, alpha: float | Column, delta: float) -> Column:
    """Return the log of the greatest capital of a bettor against "the mean loss is above alpha".

    Bets are the predictable plug-in ones of Waudby-Smith and Ramdas, tuned to `delta`; `losses` is (n,) or
    (n, columns) in an order fixed before they were seen.
    """
    losses = np.asarray(losses, dtype=np.float64)
    n = len(losses)
    if n == 0:
        return np.zeros(losses.shape[1:])
    steps = np.arange(1, n + 1).reshape(-1, *[1] * (losses.ndim - 1))
    mean = (0.5 + losses.cumsum(axis=0)) / (steps + 1)
    spread = (0.25 + ((losses - mean) ** 2).cumsum(axis=0)) / (steps + 1)
    before = np.concatenate([np.full((1, *losses.shape[1:]), 0.25), spread[:-1]])
    bet = np.minimum(1.0, np.sqrt(2 * math.log(1 / delta) / (n * before)))
    with np.errstate(divide="ignore"):  # alpha 0 and a lost bet: all capital is gone
        capital = np.log1p(-bet * (losses - alpha)).cumsum(axis=0)
    return np.asarray(np.maximum(capital.max(axis=0), 0.0))


def betting_p(losses: Floats, alpha: float, delta: float) -> Column:
    """Return the betting p-value for losses in [0, 1]: small where their variance is small."""
    return np.asarray(np.exp(-betting_log_capital(losses, alpha, delta)))


def betting_upper(losses: Floats, delta: float) -> float:
    """Return the least alpha that the betting test rejects, to 1e-6: an upper bound of the mean."""
    low, high = float(np.mean(losses)) if len(losses) else 0.0, 1.0
    goal = math.log(1 / delta)
    if float(betting_log_capital(losses, high, delta)) < goal:
        return 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        rejected = float(betting_log_capital(losses, middle, delta)) >= goal
        low, high = (low, middle) if rejected else (middle, high)
    return high


def hoeffding_bentkus_p(mean: Column, n: int, alpha: float) -> Column:
    """Return the Hoeffding-Bentkus p-value for losses in [0, 1] with the given mean."""
    from scipy.special import bdtr, xlogy

    mean = np.asarray(mean, dtype=np.float64)
    if n == 0:
        return np.ones_like(mean)
    below = np.minimum(mean, alpha)
    divergence = xlogy(below, below / alpha) + xlogy(1 - below, (1 - below) / (1 - alpha))
    # A mean of counts may come out a hair above the count.
    bentkus = math.e * bdtr(np.minimum(np.ceil(n * mean - 1e-9), n), n, alpha)
    return np.asarray(np.minimum(1.0, np.minimum(np.exp(-n * divergence), bentkus)))


def conformal_risk(mean: Column, n: int) -> Column:
    """Return the corrected risk of conformal risk control, (n mean + 1) / (n + 1).

    The boldest threshold at which a monotone loss keeps it at alpha or below has an expected loss of at most
    alpha on the next query.
    """
    return np.asarray((n * np.asarray(mean, dtype=np.float64) + 1) / (n + 1))


def queries_at_least(alpha: float, delta: float) -> int:
    """Return the least number of queries that can certify `alpha` at all: with no loss among them.

    The same for every loss, as n zero losses are as good as it gets: (1 - alpha)^n <= delta.
    """
    return math.ceil(math.log(delta) / math.log1p(-alpha) - 1e-9)


@lru_cache(maxsize=4096)
def queries_for_power(alpha: float, delta: float, risk: float, power: float = 0.8) -> int | None:
    """Return how many queries let the binomial test certify `alpha` with probability `power`.

    The least such n: power saws up and down with n, so that a few queries more may be worth a little less.
    `risk` is the true risk. None where it is not below alpha, or so close that a million would not do.
    """
    from scipy.special import bdtr, ndtri

    if risk >= alpha:
        return None
    spread = ndtri(1 - delta) * math.sqrt(alpha * (1 - alpha)) + ndtri(power) * math.sqrt(risk * (1 - risk))
    normal = (spread / (alpha - risk)) ** 2
    if normal > 1_000_000:
        return None
    # The exact answer is never far below the normal approximation.
    n, chunk = max(queries_at_least(alpha, delta), int(0.8 * normal) - 60), 512
    while True:
        sizes = np.arange(n, n + chunk)
        most = _most_losses(sizes, alpha, delta)
        reached = (most >= 0) & (bdtr(np.maximum(most, 0), sizes, risk) >= power)
        if reached.any():
            return int(sizes[np.argmax(reached)])
        n, chunk = n + chunk, 2 * chunk


def queries_for_betting(losses: Floats, alpha: float, delta: float, power: float = 0.8) -> int | None:
    """Return about how many queries let the betting test certify `alpha` with probability `power`.

    The queries still to come are taken to lose like those at hand, (n,), and one imagined that loses one
    half. The capital of the best constant bet then grows by a steady amount a query, with a spread: the
    answer is where it passes 1/delta but for bad luck. None where no bet grows, or a million would not do.
    """
    from scipy.special import ndtri

    seen = np.append(np.asarray(losses, dtype=np.float64), 0.5)
    growth = np.log1p(-np.linspace(0.02, 1, 50)[:, None] * (seen - alpha))
    steady = growth.mean(axis=1)
    best = int(steady.argmax())
    if steady[best] <= 0:
        return None
    luck = float(ndtri(power)) * float(growth[best].std())
    root = (luck + math.sqrt(luck**2 + 4 * steady[best] * math.log(1 / delta))) / (2 * steady[best])
    n = math.ceil(root**2)
    return None if n > 1_000_000 else max(n, queries_at_least(alpha, delta))


def _most_losses(sizes: Ints, alpha: float, delta: float) -> Floats:
    """Return, for each n, the most losses with P(Bin(n, alpha) <= losses) <= delta; -1 where none."""
    from scipy.special import bdtr, bdtrik

    most = np.floor(bdtrik(delta, sizes.astype(np.float64), alpha)) + 1
    most = np.where(np.isfinite(most), most, 0.0)
    for _ in range(3):  # bdtrik interpolates between counts: step down to the last that fits
        fits = (most >= 0) & (bdtr(np.maximum(most, 0), sizes, alpha) <= delta)
        most = np.where(fits, most, np.maximum(most - 1, -1))
    return most
