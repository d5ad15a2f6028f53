import torch
from torch import nn

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.tuning import TunedConfig

CONFIG = TunedConfig(held_out=200)


def test_no_run_trains_on_held_out_pictures_and_tuning_sees_no_test_picture():
    tuning, reported = pictures(CONFIG, "tuning"), pictures(CONFIG, "reported")
    assert len(tuning.x_train) == len(reported.x_train) == 1200
    torch.testing.assert_close(tuning.x_train, reported.x_train, rtol=0, atol=0)
    assert (len(tuning.x_test), len(reported.x_test)) == (200, 397)
    seen = {row.numpy().tobytes() for row in reported.x_test}
    assert sum(row.numpy().tobytes() in seen for row in tuning.x_test) == 0


def test_an_accuracy_is_named_by_what_it_was_measured_on():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    assert set(score(model, pictures(CONFIG, "tuning"), "tuning")) == {"held_out"}
    assert set(score(model, pictures(CONFIG, "reported"), "reported")) == {"accuracy"}
