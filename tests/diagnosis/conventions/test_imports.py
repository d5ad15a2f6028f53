"""Files that import what is not installed: NumPy takes the place of modules that hold its functions."""

import importlib

import pytest

from bncourse.diagnosis.conventions import diagnose_source

JAX = """
from functools import partial
import jax
IMPORT

@partial(jax.jit, static_argnums=(3,))
def batch_norm(params, state, x, train, momentum=0.9, eps=1e-5):
    if train:
        mu, var = jnp.mean(x, 0), jnp.var(x, 0)
        state = {name: momentum * state[name] + (1 - momentum) * new for name, new in (("mean", mu), ("var", var))}
    else:
        mu, var = state["mean"], state["var"]
    return params["scale"] * (x - mu) / jnp.sqrt(var + eps) + params["bias"], state
"""


@pytest.mark.parametrize("line", ["import jax.numpy as jnp", "from jax import numpy as jnp"])
def test_numpy_takes_the_place_of_jax_and_this_is_said(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without_jax(name: str) -> object:
        if name.startswith("jax"):
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", without_jax)
    report = diagnose_source(JAX.replace("IMPORT", line))
    assert report["status"] == "right"
    assert "NumPy in the place of jax.numpy" in report["functions"][0]["notes"][0]
    wrong = diagnose_source(JAX.replace("IMPORT", line).replace("jnp.sqrt(var + eps)", "(jnp.sqrt(var) + eps)"))
    assert wrong["functions"][0]["findings"][0]["belief"] == "eps-outside-root"
