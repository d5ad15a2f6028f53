"""The twins of the paper's surroundings have the same public names, parameters and fields, file by file."""

import importlib
import inspect

import pytest

FILES = [
    "folding",
    "ghost",
    "invariances",
    "lrn",
    "normalization",
    "outside_gradient",
    "recurrent",
    "renorm",
    "whitening",
]


def public(room, file):
    module = importlib.import_module(f"bncourse.{room}.{file}")
    found = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    assert found
    return {name: value for name, value in found.items() if not name.startswith("_")}


def parameters(value):
    return [(p.name, p.kind, p.default) for p in inspect.signature(value).parameters.values()]


@pytest.mark.parametrize("file", FILES)
def test_the_twins_have_the_same_names_and_parameters(file):
    one, other = public("numpy_bn", file), public("torch_bn", file)
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert parameters(value) == parameters(other[name])
        assert getattr(value, "_fields", None) == getattr(other[name], "_fields", None)


@pytest.mark.parametrize("file", FILES)
def test_every_public_name_can_be_imported_from_the_room(file):
    for room in ("numpy_bn", "torch_bn"):
        names = {name for name, value in public(room, file).items() if inspect.isfunction(value)}
        assert names <= set(importlib.import_module(f"bncourse.{room}").__all__)
