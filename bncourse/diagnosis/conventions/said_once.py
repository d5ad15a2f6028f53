"""A belief that shows in several places is said in one of them."""

from dataclasses import replace

from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.report import Finding

IN_INFERENCE = {
    "affine-missing": "inference-without-affine",
    "beta-missing": "inference-without-beta",
    "gamma-missing": "inference-without-gamma",
    "mean-not-subtracted": "inference-mean-missing",
    "variance-without-root": "inference-running-var-is-std",
}
"""The same slip in training and in inference, where the second is not called by the first's name."""


def once_each(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Say a belief once that shows in several gradients."""
    found = []
    for belief in dict.fromkeys(one.belief for one in findings):
        same = [one for one in findings if one.belief == belief]
        parts = [one.part for one in same]
        if belief is None or len(same) == 1:
            found += same
            continue
        sentence = same[0].message.split(" It shows in ")[0]
        found.append(replace(same[0], message=f"{sentence} It shows in {', '.join(parts[:-1])} and {parts[-1]}."))
    return tuple(found)


def once_in_inference(own: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out of the findings in inference those that the same function has in training."""
    said = {one.belief for one in own if one.part in ("forward", "conv") and one.belief}
    said |= {IN_INFERENCE.get(one, f"inference-{one}") for one in said if one}
    said |= {"inference-running-var-is-std"} if any(one.belief == "running-std-stored" for one in own) else set()
    return tuple(one for one in own if not (one.part == "inference" and one.belief in said))


def add_maps(found: list[FunctionReport], on_maps: list[FunctionReport]) -> None:
    """Say of feature maps what has not been said of tables."""
    if any(one.status in ("unreadable", "missing") for one in (*found, *on_maps)):
        return
    known = {(one.name, finding.part): finding.belief for one in found for finding in one.findings}
    said = {(one.name, finding.belief) for one in found for finding in one.findings}
    for one in on_maps:
        new = [
            finding
            for finding in one.findings
            if (one.name, finding.belief) not in said and (finding.belief or not known.get((one.name, finding.part)))
        ]
        if one.status == "mistaken" and new:
            found.append(one)


def is_unnamed(belief: str | None) -> bool:
    """Whether it is no belief, but a law that an unknown mistake breaks."""
    return belief is None or belief.startswith("law-")
