"""Every numbered equation of the later chapters of the part Beyond is computed; a test bears its equation's label."""

import re
from pathlib import Path

import numpy as np

from bncourse.numpy_bn import batch_norm_forward

BOOK = Path(__file__).resolve().parents[2] / "book"
PAGES = ("other_domains", "why_it_works", "recurrent", "cost")

RNG = np.random.default_rng(0)


def close(found: object, expected: object, *, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def test_eq_camera() -> None:
    x, b = RNG.standard_normal((40, 5)), RNG.standard_normal(5)
    w, eps = RNG.standard_normal((5, 3)), 0.1
    z = x @ w
    for a in (0.3, -2.0):
        z_new = (a * x + b) @ w
        close(z_new.mean(axis=0), a * z.mean(axis=0) + b @ w)
        close(z_new.var(axis=0), a**2 * z.var(axis=0))
        new, _ = batch_norm_forward(z_new, np.ones(3), np.zeros(3), eps=eps)
        old, _ = batch_norm_forward(z, np.ones(3), np.zeros(3), eps=eps / a**2)
        close(new, np.sign(a) * old)


def test_every_label_of_these_pages_has_its_test() -> None:
    written = [BOOK / "beyond" / f"{page}.md" for page in PAGES]
    text = "".join(page.read_text("utf-8") for page in written if page.exists())
    labels = set(re.findall(r"\$\$ \((eq-[\w-]+)\)", text))
    tested = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_eq_")}
    assert labels == tested
