// Batch normalization of one channel: the arithmetic of the explorables, and nothing else.
// It is checked against bncourse.numpy_bn on golden vectors (tests/book/test_explorables.py).
(function (root) {
  "use strict";

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;

  // Mean and biased variance of a batch.
  function moments(x) {
    const center = mean(x);
    return { mean: center, var: mean(x.map((value) => (value - center) ** 2)) };
  }

  // Algorithm 1.
  function forward(x, gamma, beta, eps) {
    const { mean: center, var: spread } = moments(x);
    const invStd = 1 / Math.sqrt(spread + eps);
    const xHat = x.map((value) => (value - center) * invStd);
    return { mean: center, var: spread, invStd, xHat, y: xHat.map((value) => gamma * value + beta) };
  }

  // The three paths of dx, sample by sample.
  function paths(x, dy, gamma, eps) {
    const { invStd, xHat } = forward(x, gamma, 0, eps);
    const dyMean = mean(dy);
    const dySlope = mean(dy.map((value, i) => value * xHat[i]));
    const scale = gamma * invStd;
    return {
      direct: dy.map((value) => scale * value),
      mean: dy.map(() => -scale * dyMean),
      variance: xHat.map((value) => -scale * value * dySlope),
    };
  }

  // The same gradient from the forward pass alone.
  function finiteDifferences(x, dy, gamma, eps, h) {
    const loss = (at) => sum(forward(at, gamma, 0, eps).y.map((value, i) => value * dy[i]));
    return x.map((_, i) => {
      const moved = (step) => x.map((value, j) => (i === j ? value + step : value));
      return (loss(moved(h)) - loss(moved(-h))) / (2 * h);
    });
  }

  // The normalization about any center that moves with the batch: the spread there, its slope, and dx with and without the
  // term that goes to the center through the spread.
  function aboutCenter(x, dy, center, eps) {
    const deviation = x.map((value) => value - center);
    const spread = mean(deviation.map((value) => value * value));
    const slope = -2 * mean(deviation);
    const invStd = 1 / Math.sqrt(spread + eps);
    const dSpread = sum(dy.map((value, i) => value * deviation[i])) * -0.5 * invStd ** 3;
    const direct = -invStd * sum(dy);
    const term = dSpread * slope;
    const without = dy.map((value, i) => value * invStd + (dSpread * 2 * deviation[i] + direct) / x.length);
    return { spread, slope, direct, term, without, dx: without.map((value) => value + term / x.length) };
  }

  // PyTorch's update: momentum weighs the new value, and the stored variance is the unbiased one.
  function updateRunning(running, batch, momentum) {
    const seen = moments(batch);
    const unbiased = (seen.var * batch.length) / (batch.length - 1);
    return {
      mean: (1 - momentum) * running.mean + momentum * seen.mean,
      var: (1 - momentum) * running.var + momentum * unbiased,
    };
  }

  // Algorithm 2, with the running statistics.
  function inference(x, gamma, beta, running, eps) {
    const invStd = 1 / Math.sqrt(running.var + eps);
    return x.map((value) => gamma * (value - running.mean) * invStd + beta);
  }

  // Normal numbers that are the same on every machine.
  function normals(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
    return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  // A population whose mean drifts, seen batch by batch by a running mean.
  function drift({ steps, batch, speed, momentum, seed }) {
    const draw = normals(seed);
    let running = { mean: 0, var: 1 };
    const trace = [];
    let last = [];
    for (let step = 1; step <= steps; step += 1) {
      const truth = speed * step;
      last = Array.from({ length: batch }, () => truth + draw());
      running = updateRunning(running, last, momentum);
      trace.push({ truth, batch: moments(last).mean, running: running.mean, runningVar: running.var });
    }
    return { trace, running, last };
  }

  root.BatchNorm = { sum, mean, moments, forward, paths, finiteDifferences, aboutCenter, updateRunning, inference, normals, drift };
})(globalThis);
