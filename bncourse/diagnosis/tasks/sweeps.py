"""Programs for the sweeps of `training`, each right without slips: final losses over rates, and over batch sizes.

They use the notebook's own pieces, some of which the student has written: a mistake in these is not charged again.
"""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]
STEPS = 12


def rates_inputs(rng: np.random.Generator, _: Given) -> list[Inputs]:
    """Two rates and a few batches; then without batch normalization and from larger weights."""
    x, labels = rng.random((40, 64)), rng.integers(0, 10, 40)
    batches = np.array([rng.permutation(40)[:6] for _step in range(STEPS)])
    first, second = rng.uniform(0.5, 1.0, 2), rng.uniform(0.5, 1.0, 2)
    return [
        Inputs((x, labels, [0.1 * float(first[0]), float(first[1])], batches), {"normalized": True}),
        Inputs((x, labels, list(map(float, second)), batches), {"normalized": False, "std": 0.3}),
    ]


def rates(
    s: Slips, given: Given, x: Array, labels: Array, rates: list[float], batches: Array, *, normalized: bool,
    std: float = 0.1,
) -> Any:  # fmt: skip
    """The final loss for each learning rate."""
    if "sweep-rates-start-ignored" in s:
        std = 0.1
    if "sweep-rates-one-rate" in s:
        rates = [rates[0]] * len(rates)
    if "sweep-rates-flag-ignored" in s:
        normalized = True
    return _swept(s, given, "sweep-rates", x, labels, [(rate, batches) for rate in rates], normalized, {"std": std})


def sizes_inputs(rng: np.random.Generator, _: Given) -> list[Inputs]:
    """Two sizes of batches, with and without batch normalization."""
    x, labels = rng.random((40, 64)), rng.integers(0, 10, 40)
    sizes = [int(size) for size in rng.permutation([3, 5, 8])[:2]]
    return [
        Inputs((x, labels, sizes), {"steps": STEPS, "rate": float(rng.uniform(0.3, 0.8)), "normalized": flag})
        for flag in (True, False)
    ]


def sizes(
    s: Slips, given: Given, x: Array, labels: Array, sizes: list[int], *, steps: int, rate: float, normalized: bool
) -> Any:
    """The final loss for each size of the batches."""
    if "sweep-sizes-one-size" in s:
        sizes = [sizes[0]] * len(sizes)
    if "sweep-sizes-flag-ignored" in s:
        normalized = True
    runs = []
    for size in sizes:
        count = max(1, steps // size) if "sweep-sizes-one-epoch" in s else steps
        count = len(x) // size if "sweep-sizes-one-epoch/2" in s else count
        count = steps * max(sizes) // size if "sweep-sizes-one-epoch/3" in s else count
        seed = size if "sweep-sizes-other-batches" in s else 1 if "sweep-sizes-other-batches/2" in s else 0
        batches = given["make_batches"](len(x), size, count, seed=seed)
        if "sweep-sizes-first-samples" in s:
            batches = np.tile(np.arange(size), (count, 1))
        scaled = rate * size if "sweep-sizes-rate-scaled" in s else rate
        scaled = rate / size if "sweep-sizes-rate-scaled/2" in s else scaled
        scaled = rate * size / sizes[0] if "sweep-sizes-rate-scaled/3" in s else scaled
        for way, fixed in {"": 0.1, "/2": 1.0, "/3": 0.5}.items():
            scaled = fixed if f"sweep-sizes-rate-ignored{way}" in s else scaled
        runs.append((scaled, batches))
    return _swept(s, given, "sweep-sizes", x, labels, runs, normalized, {})


def _swept(
    s: Slips, given: Given, part: str, x: Array, labels: Array, runs: list[tuple[float, Array]], normalized: bool,
    options: dict[str, float],
) -> Any:  # fmt: skip
    """What is read off the losses of several trainings."""
    final, network = [], None
    for number, (rate, batches) in enumerate(runs):
        seed = 1 if f"{part}-other-start" in s else number if f"{part}-other-start/2" in s else 0
        seed = batches.shape[1] if f"{part}-other-start/3" in s else seed
        if f"{part}-network-carried" in s:
            network = network or given["start"](seed, **options)
            losses, network = given["train"](network, x, labels, batches, rate=rate, normalized=normalized)
        else:
            losses = _losses(given, x, labels, rate, batches, normalized, (seed, *options.items()))
        final.append(_read_off(s, part, np.asarray(losses, dtype=float)))
    if f"{part}-only-one" in s:
        return final[-1]
    if f"{part}-only-one/2" in s:
        return final[0]
    if f"{part}-only-one/3" in s:
        return np.mean(final)
    return np.array(final)


def _losses(
    given: Given, x: Array, labels: Array, rate: float, batches: Array, normalized: bool, begin: tuple[Any, ...]
) -> Any:
    """The losses of a training, kept for other programs."""
    key = (rate, batches.tobytes(), normalized, begin, x.tobytes())
    if key not in given["kept"]:
        network = given["start"](begin[0], **dict(begin[1:]))
        given["kept"][key] = given["train"](network, x, labels, batches, rate=rate, normalized=normalized)[0]
    return given["kept"][key]


def _read_off(s: Slips, part: str, losses: Array) -> Any:
    """The mean of the last ten losses."""
    if f"{part}-all-losses" in s:
        return losses.mean()
    if f"{part}-last-loss" in s:
        return losses[-1]
    if f"{part}-first-losses" in s:
        return losses[:10].mean()
    if f"{part}-smallest" in s:
        return losses.min()
    if f"{part}-smallest/2" in s:
        return losses[-10:].min()
    if f"{part}-summed" in s:
        return losses[-10:].sum()
    if f"{part}-history" in s:
        return losses
    if f"{part}-history/2" in s:
        return losses[-10:]
    for number, count in enumerate((5, 9, 11, 3)):
        if s.in_way(f"{part}-window", number):
            return losses[-count:].mean()
    if f"{part}-tenth-from-last" in s:
        return losses[-10]
    return losses[-10:].mean()


def _ways(part: str) -> dict[str, int]:
    return {f"{part}-{slip}": count for slip, count in (
        ("other-start", 2), ("only-one", 3), ("smallest", 2), ("history", 2), ("window", 4)
    )}  # fmt: skip


QUESTIONS = {
    "sweep-rates": Question(
        rates_inputs, rates, ("sweep-rates",), pairs=False, given=("start", "train"), ways=_ways("sweep-rates")
    ),
    "sweep-sizes": Question(
        sizes_inputs,
        sizes,
        ("sweep-sizes",),
        pairs=False,
        given=("start", "train", "make_batches"),
        ways=_ways("sweep-sizes")
        | {"sweep-sizes-one-epoch": 3, "sweep-sizes-other-batches": 2, "sweep-sizes-rate-scaled": 3}
        | {"sweep-sizes-rate-ignored": 3, "sweep-sizes-other-start": 3},
    ),
}
"""By the answer's name in the assignment."""
