"""Experiments that show what they claim with the student's own functions, and what is pasted before them."""

import re
from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.catalogue import experiments_of
from bncourse.diagnosis.conventions.bridge import bridge
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.errors import quiet
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.gradients import Backward
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.conventions.translation import Translation, probe_of, values_of
from bncourse.diagnosis.conventions.units import Unit
from bncourse.diagnosis.experiment import NO_ERROR, Experiment
from bncourse.diagnosis.experiments import EXPERIMENTS, experiments_for
from bncourse.diagnosis.report import Finding


def show(found: list[FunctionReport], its: Translation, forward: Forward | Layer, convention: Convention) -> None:
    """Keep the experiments that show what they claim with the file's functions, and say what to paste first.

    Parameters
    ----------
    found : list of FunctionReport
        What is said; it is changed.
    its : Translation
        The normalization.
    forward : Forward or Layer
        Its forward pass, as it is called.
    convention : Convention
        Which value momentum weighs in the file.
    """
    passes = its.own_backwards(forward)
    first = next(iter(passes), "")
    for one in found:
        if not one.findings:
            continue
        backward = passes.get(one.name if one.name in passes else first)
        known = backward if isinstance(backward, Backward) else None
        lines = bridge(its.unit, forward, known, convention, values_of(probe_of(its.rules())))
        names = {**its.program.namespace, "np": np}
        for name, line in (("torch", "import torch"), ("np", "import numpy as np")):
            needed = name == "np" or "torch." in lines
            lines = f"{line}\n{lines}" if needed and name not in its.program.namespace else lines
        try:
            exec(lines, names)
        except Exception:
            lines = ""
        one.findings = tuple(_shown(finding, its.unit, names) for finding in one.findings)
        told = [finding.experiment for finding in one.findings if finding.experiment]
        one.paste_first = _only_needed(lines, told) if told else ""


def _only_needed(lines: str, experiments: list[str]) -> str:
    r"""Keep of the lines to paste what the experiments use, and what that uses.

    Examples
    --------
    >>> _only_needed("import torch\nforward = mine\ndef update(m):\n    return m", ["print(forward(x))"])
    'import torch\nforward = mine'
    """
    blocks = re.split(r"\n(?=\S)", lines)
    names = [re.match(r"(?:def )?(\w+)", block) for block in blocks]
    text, kept = "\n".join(experiments), set[int]()
    while True:
        used = {
            number
            for number, (block, name) in enumerate(zip(blocks, names, strict=True))
            if block.startswith("import ") or (name and re.search(rf"(?<![.\w]){name[1]}\b", text))
        }
        if used == kept:
            return "\n".join(blocks[number] for number in sorted(kept))
        kept, text = used, "\n".join([*experiments, *(blocks[number] for number in used)])


def _shown(found: Finding, unit: Unit, names: dict[str, Any]) -> Finding:
    """Keep the experiment of a finding if it shows what it claims with these functions; leave it out otherwise.

    Parameters
    ----------
    found : Finding
        What is said.
    unit : Unit
        Of which normalization.
    names : dict
        The file's names, and what the bridge defines.
    """
    if found.belief is None:
        return found
    names_of_calls = (
        ("error",) if found.cause is not None else ("names", "type") if found.belief == "wrong-structure" else ()
    )
    told = [one for see in names_of_calls for one in experiments_for(see, found.part, unit.kind)]
    for name in (*told, *([] if found.cause is not None else experiments_of(found.belief, found.part, unit.kind))):
        experiment = EXPERIMENTS[name].made_for(unit.kind, maps=unit.maps)
        if experiment is not None and _shows(experiment, names):
            return replace(found, experiment=experiment.text)
    return replace(found, experiment="")


def _shows(experiment: Experiment, names: dict[str, Any]) -> bool:
    """Whether the two lines print what the message says of a mistaken function."""
    before = np.random.get_state()  # noqa: NPY002  (the lines that a student pastes draw from it)
    try:
        np.random.seed(0)  # noqa: NPY002
        here = {**names, "np": np}
        with quiet():
            exec(experiment.setup, here)
            printed = np.abs(np.asarray(eval(experiment.show, here), dtype=float))
    except NameError:
        return False
    except Exception:
        return experiment.comment == NO_ERROR
    finally:
        np.random.set_state(before)  # noqa: NPY002
    return bool((printed < 1e-4).all()) != experiment.zeros
