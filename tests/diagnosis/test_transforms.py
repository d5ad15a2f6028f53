import numpy as np

from bncourse.diagnosis.probes import make_probe
from bncourse.diagnosis.transform_families import Switches
from bncourse.diagnosis.transforms import transform
from bncourse.numpy_bn import batch_norm_forward, batch_norm_inference


def test_with_no_switch_turned_the_family_holds_the_reference() -> None:
    probe = make_probe(2)
    y, cache = batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    model = transform(probe, Switches())
    np.testing.assert_allclose(model.y, y, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(model.x_hat, cache.x_hat, rtol=1e-13, atol=1e-13)
    still = transform(probe, Switches(), inference=True).y
    arguments = probe.x, probe.gamma, probe.beta, probe.running_mean, probe.running_var
    np.testing.assert_allclose(still, batch_norm_inference(*arguments, eps=probe.eps)[0], rtol=1e-13, atol=1e-13)
