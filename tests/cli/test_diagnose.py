import json
from pathlib import Path

from click.testing import CliRunner

from bncourse.cli import main

RIGHT = """import numpy as np

def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get('eps', 1e-5)
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, gamma, var, eps)

def batchnorm_backward(dout, cache):
    x_hat, gamma, var, eps = cache
    g = dout * gamma
    dx = (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / np.sqrt(var + eps)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)
"""
WRONG = RIGHT.replace(" - g.mean(axis=0)", "")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["diagnose", *arguments])
    return result.exit_code, result.output


def test_the_exit_code_says_right_mistaken_or_unreadable(tmp_path: Path) -> None:
    for name, text in (("right.py", RIGHT), ("wrong.py", WRONG), ("none.py", "x = 1\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    codes = [run(str(tmp_path / name))[0] for name in ("right.py", "wrong.py", "none.py")]
    assert codes == [0, 1, 2]
    _, output = run(str(tmp_path / "wrong.py"))
    assert "Your code believes that the mean does not depend on x." in output
    assert output.startswith("wrong.py: found batchnorm_forward, batchnorm_backward; taken for: ")


def test_several_files_print_a_table_and_json_is_plain_data(tmp_path: Path) -> None:
    for name, text in (("right.py", RIGHT), ("wrong.py", WRONG)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    code, output = run(str(tmp_path / "right.py"), str(tmp_path / "wrong.py"))
    assert code == 1
    assert "batchnorm_backward" in output and "mean-path-missing" in output
    _, output = run("--json", str(tmp_path / "wrong.py"))
    data = json.loads(output)
    assert data["functions"][1]["findings"][0]["belief"] == "mean-path-missing"


def test_an_unknown_course_is_refused(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    code, output = run("--as", "nowhere", str(tmp_path / "right.py"))
    assert code == 2
    assert "Known are bncourse, cs231n" in output
