import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bncourse import experiments
from bncourse.experiments import NAMES, experiment, outside_gradient, run
from bncourse.experiments.result import recorded, to_json
from bncourse.experiments.runner import do_unit

RECORDED = {path.stem for path in (Path(experiments.__file__).parent / "recorded").glob("*.json")}
SMALL = replace(outside_gradient.QUICK, seeds=(0, 1), steps=20, probes=5)


def numbers(result):
    return [{**to_json(measured), "seconds": 0} for measured in result.units]


def test_the_same_seed_gives_the_same_numbers():
    assert numbers(run("outside_gradient", SMALL)) == numbers(run("outside_gradient", SMALL))


def test_the_same_seed_gives_the_same_numbers_in_torch_whatever_was_drawn_before():
    config = replace(experiment("batch_size").QUICK, examples=128)
    unit = experiment("batch_size").units(config, {})[0]
    torch.manual_seed(5)
    first = do_unit("batch_size", config, unit)
    torch.rand(7)
    assert do_unit("batch_size", config, unit).values == first.values


def test_a_unit_leaves_the_callers_random_state_alone():
    config = replace(experiment("batch_size").QUICK, examples=64)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    do_unit("batch_size", config, experiment("batch_size").units(config, {})[0])
    assert torch.equal(torch.rand(1), expected)


def test_several_processes_give_the_same_numbers_as_one():
    assert numbers(run("outside_gradient", SMALL, jobs=2)) == numbers(run("outside_gradient", SMALL))


@pytest.mark.parametrize("content", ["", '{"condition": {}', "[]", "7", '{"seed": 0}'])
def test_a_damaged_unit_is_done_again(tmp_path, content):
    expected = run("outside_gradient", SMALL, folder=tmp_path)
    damaged = sorted(tmp_path.rglob("*.json"))[3]
    damaged.write_text(content, encoding="utf-8")
    done = []
    again = run("outside_gradient", SMALL, folder=tmp_path, on_progress=done.append)
    assert len(done) == 1 and numbers(again) == numbers(expected)
    run("outside_gradient", SMALL, folder=tmp_path, on_progress=done.append)
    assert len(done) == 1


def test_a_run_that_was_stopped_does_only_what_is_missing(tmp_path):
    class Stop(Exception):
        pass

    def stop(progress):
        if progress.done == 5:
            raise Stop

    with pytest.raises(Stop):
        run("outside_gradient", SMALL, folder=tmp_path, on_progress=stop)
    done = []
    result = run("outside_gradient", SMALL, folder=tmp_path, on_progress=lambda progress: done.append(progress.done))
    assert done == list(range(6, len(result.units) + 1))
    assert numbers(result) == numbers(run("outside_gradient", SMALL))


def test_a_run_that_was_killed_goes_on_to_the_same_result(tmp_path):
    program = f"""
import os, signal
from dataclasses import replace
from bncourse.experiments import outside_gradient, run
config = replace(outside_gradient.QUICK, seeds=(0, 1), steps=20, probes=5)
def kill(progress):
    if progress.done == 7:
        os.kill(os.getpid(), signal.SIGKILL)
run("outside_gradient", config, folder={str(tmp_path)!r}, on_progress=kill)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("*/*.json"))) == 7
    assert numbers(run("outside_gradient", SMALL, folder=tmp_path)) == numbers(run("outside_gradient", SMALL))


def test_another_config_does_not_take_over_stored_units(tmp_path):
    run("outside_gradient", SMALL, folder=tmp_path)
    other = replace(SMALL, rate=0.2)
    result = run("outside_gradient", other, folder=tmp_path)
    assert numbers(result) == numbers(run("outside_gradient", other))


def test_the_result_says_where_it_comes_from(quick):
    result = quick("outside_gradient")
    assert result.config["seeds"] == [0, 1, 2, 3, 4]
    assert set(result.provenance) == {"created", "seconds", "versions", "machine", "data"}
    assert result.provenance["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sync"])
def test_every_kind_of_unit_measures_what_the_recorded_run_has(name):
    """What the quick forms find is among the long tests, and so is the run of several processes, `sync`."""
    config, kinds = experiment(name).QUICK, {}
    for unit in experiment(name).units(config, {}):
        kinds.setdefault(dict(unit.condition).get("part"), unit)
    full = recorded(name).units if name in RECORDED else ()
    for part, unit in kinds.items():
        measured = do_unit(name, config, unit)
        assert measured.values
        expected = {frozenset(one.values) for one in full if dict(one.unit.condition).get("part") == part}
        assert not full or frozenset(measured.values) in expected


def test_an_unknown_experiment_is_refused_with_the_list():
    with pytest.raises(ValueError, match="Expected one of: figure_one, outside_gradient"):
        run("figure_two", SMALL)
