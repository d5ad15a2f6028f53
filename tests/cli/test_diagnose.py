import json
import subprocess
import sys
from pathlib import Path

import pytest
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


ENDS_BADLY = """import os, sys
import numpy as np

def batchnorm_forward(x, gamma, beta, bn_param):
    while True:
        pass

def layernorm_forward(x, gamma, beta, ln_param):
    os._exit(0)

def groupnorm_forward(x, gamma, beta, G, gn_param):
    sys.exit(input())

def rmsnorm_forward(x, gamma, rms_param):
    print("noise" * 1000)
    var = (x * x).mean(axis=1, keepdims=True)
    return gamma * x / np.sqrt(var + rms_param["eps"]), None
"""


def test_what_never_ends_or_ends_the_program_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(ENDS_BADLY, encoding="utf-8")
    code, output = run("--json", "--seconds", "0.3", str(tmp_path / "bad.py"))
    functions = json.loads(output)["functions"]
    assert (code, [one["status"] for one in functions]) == (2, ["unreadable"] * 3 + ["right"])
    for one, said in zip(functions, ("did not come to an end in 0.3 s", "ended the process", "EOFError"), strict=False):
        assert said in one["reason"]


def test_a_module_beside_the_file_is_imported_from_there(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(RIGHT, encoding="utf-8")
    text = """from .layers import *

def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    n, c, h, w = x.shape
    y, cache = batchnorm_forward(x.transpose(0, 2, 3, 1).reshape(-1, c), gamma, beta, bn_param)
    return y.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache
"""
    (tmp_path / "maps.py").write_text(text, encoding="utf-8")
    code, output = run(str(tmp_path / "maps.py"))
    assert (code, output.count(": right")) == (0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_stopped_by_hand_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(ENDS_BADLY.replace("while", "print(flush=True)\n    while"), encoding="utf-8")
    code = (
        "import signal, sys, threading, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import bncourse.diagnosis.conventions.apart as apart\n"
        "def follow(*arguments):\n    signal.raise_signal(signal.SIGINT)\n"
        "apart._follow = follow\n"
        "from bncourse.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "diagnose", str(tmp_path / "bad.py")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "bncourse: stopped; nothing of your files has been changed.\n"


@pytest.mark.sandbox
def test_in_the_sandbox_there_are_no_files_and_no_network(tmp_path: Path) -> None:
    pytest.importorskip("msgpack")
    secret = tmp_path / "secret.txt"
    secret.write_text("of the instructor", encoding="utf-8")
    reads = f"def layernorm_forward(x, gamma, beta, ln_param):\n    return open({str(secret)!r}).read(), None\n"
    connects = (
        "def groupnorm_forward(x, gamma, beta, G, gn_param):\n    import socket\n"
        "    return socket.create_connection(('127.0.0.1', 9), 1), None\n"
    )
    loops = "def instancenorm_forward(x, gamma, beta, param):\n    while True:\n        pass\n"
    (tmp_path / "spies.py").write_text(WRONG + reads + connects + loops, encoding="utf-8")
    code, output = run("--sandbox", "--json", "--seconds", "0.5", str(tmp_path / "spies.py"))
    functions = json.loads(output)["functions"]
    assert code == 1
    assert functions[1]["findings"][0]["belief"] == "mean-path-missing"
    for one, said in zip(
        functions[2:], ("FileNotFoundError", "PermissionError", "did not come to an end"), strict=True
    ):
        assert (one["status"], said in one["reason"]) == ("unreadable", True), one
