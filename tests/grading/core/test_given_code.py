"""What a notebook is given as an import is run as code, where answers run."""

import ast
import subprocess
import sys

import numpy as np
import pytest

from bncourse.diagnosis import given
from bncourse.grading.core.given_code import as_run
from bncourse.grading.core.names import imports_of
from bncourse.grading.core.records import Master, MasterCell
from bncourse.numpy_bn import functional as reference

FUNCTIONS = [name for name in vars(given) if getattr(getattr(given, name), "__module__", "") == given.__name__]


def run(source: str) -> dict[str, object]:
    space: dict[str, object] = {"np": np}
    exec(as_run(source), space)
    return space


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_runs_without_the_package(name: str) -> None:
    source = f"from bncourse.diagnosis.given import {name}"
    assert imports_of(ast.parse(as_run(source))) == [] and callable(run(source)[name])


def test_the_pasted_function_does_what_the_imported_one_does() -> None:
    rng = np.random.default_rng(0)
    layer = {"weight": rng.normal(size=(5, 3)), "gamma": rng.normal(size=3), "beta": rng.normal(size=3)}
    u, dh = rng.normal(size=(4, 5)), rng.normal(size=(4, 3))
    pasted = run("from bncourse.diagnosis.given import hidden_forward, hidden_backward")
    h, cache = given.hidden_forward(layer, u, normalized=True)
    own_h, own_cache = pasted["hidden_forward"](layer, u, normalized=True)  # type: ignore[operator]
    du, parts = given.hidden_backward(dh, cache)
    own_du, own_parts = pasted["hidden_backward"](dh, own_cache)  # type: ignore[operator]
    for one, other in [(h, own_h), (du, own_du), *((parts[name], own_parts[name]) for name in parts)]:
        np.testing.assert_allclose(one, other, rtol=0, atol=0)


def test_the_given_passes_are_those_of_the_reference() -> None:
    rng = np.random.default_rng(1)
    x, dy, gamma, beta = rng.normal(2, 3, (6, 4)), rng.normal(size=(6, 4)), rng.normal(size=4), rng.normal(size=4)
    y, cache = given.batch_norm_forward(x, gamma, beta, eps=0.1)
    expected, own = reference.batch_norm_forward(x, gamma, beta, eps=0.1)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    gradients = reference.batch_norm_backward(dy, own)
    for one, other in zip(given.batch_norm_backward(dy, cache), gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
    turned, (x_hat, std) = given.forward_of_course("x_hat std")(x.T, gamma, beta[:, None], eps=0.1)
    np.testing.assert_allclose(turned.T, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose((x_hat * std).T, x - x.mean(axis=0), rtol=1e-12, atol=1e-12)


def test_a_class_is_graded_by_a_process_that_has_no_numpy_loaded() -> None:
    code = "import sys, bncourse.grading.workflows.grade; from bncourse.grading.core.given_code import as_run; "
    code += "as_run('from bncourse.diagnosis.given import batch_norm_dx'); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("names", ["batch_norm_dx as dx", "nothing", "np"])
def test_what_cannot_be_pasted_is_refused_with_its_name(names: str) -> None:
    with pytest.raises(ValueError, match=names.split()[0] if "as" not in names else "without `as`"):
        as_run(f"from bncourse.diagnosis.given import {names}")


def test_the_key_of_a_master_changes_with_the_functions_given(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from bncourse.diagnosis.given import batch_norm_dx"
    cells = (MasterCell("setup", "given", source),)
    before = Master("one", "One", cells).key
    monkeypatch.setattr("bncourse.grading.core.records.as_run", lambda source: "another text")
    assert Master("one", "One", cells).key != before
