// Training and inference drift apart: a running mean that follows a population, with the momentum of your choice.
(function () {
  "use strict";
  const { COLORS, DASHES, WIDTH, html, svg, canvas, show, slider, linear, stage } = globalThis.Stage;
  const BN = globalThis.BatchNorm;

  stage("drift", (start) => {
    const state = { steps: 60, batch: 16, speed: 0.1, momentum: 0.1, seed: 7, ...start };
    const width = WIDTH;
    const area = canvas(width, 280, "Mean of the population, of each batch, and the running mean, step by step");
    const told = html("p", { class: "bn-told", "aria-live": "polite" });

    function draw() {
      const { trace, running, last } = BN.drift(state);
      const values = trace.flatMap((at) => [at.truth, at.batch, at.running]);
      const across = linear([0, state.steps], [46, width - 20]);
      const up = linear([Math.min(-1, ...values), Math.max(1, ...values)], [240, 14]);
      const path = (key) => trace.map((at, i) => `${i ? "L" : "M"}${across(i + 1)} ${up(at[key])}`).join(" ");
      area.replaceChildren(
        svg("line", { x1: 46, x2: width - 12, y1: up(0), y2: up(0), stroke: COLORS.grid }),
        svg("text", { x: width - 12, y: 268, fill: COLORS.muted, "font-size": 18, "text-anchor": "end" }, "step"),
        ...[Math.ceil(up.invert(240)), 0, Math.floor(up.invert(14))].map((tick) =>
          svg("text", { x: 38, y: up(tick) + 5, fill: COLORS.muted, "font-size": 18, "text-anchor": "end" }, tick),
        ),
        ...trace.map((at, i) => svg("circle", { cx: across(i + 1), cy: up(at.batch), r: 2.6, fill: COLORS.direct })),
        svg("path", { d: path("truth"), fill: "none", stroke: COLORS.mean, "stroke-width": 2.4, "stroke-dasharray": DASHES.mean }),
        svg("path", { d: path("running"), fill: "none", stroke: COLORS.variance, "stroke-width": 3 }),
        svg("text", { x: 52, y: 18, fill: COLORS.ink, "font-size": 18 }, "mean"),
        svg("line", {
          x1: across(state.steps) + 8, x2: across(state.steps) + 8, y1: up(trace.at(-1).truth), y2: up(trace.at(-1).running),
          stroke: COLORS.total, "stroke-width": 5,
        }),
      );
      const trained = BN.moments(BN.forward(last, 1, 0, 1e-5).y);
      const inferred = BN.moments(BN.inference(last, 1, 0, running, 1e-5));
      told.replaceChildren(
        html("span", {}, `The running mean is ${show(trace.at(-1).truth - running.mean)} behind the population. `),
        html("span", {}, `The last batch's output has mean ${show(trained.mean)} in training and ${show(inferred.mean)} in inference.`),
      );
    }

    const set = (name) => (value) => {
      state[name] = value;
      draw();
    };
    draw();
    return [
      area,
      html("div", { class: "bn-controls bn-long" },
        slider("momentum (weight of the new)", { min: 0.01, max: 1, step: 0.01, value: state.momentum }, set("momentum")),
        slider("drift of the mean, per step", { min: 0, max: 0.3, step: 0.01, value: state.speed }, set("speed")),
        slider("batch size", { min: 2, max: 64, step: 1, value: state.batch }, set("batch")),
        slider("another draw", { min: 1, max: 20, step: 1, value: state.seed }, set("seed")),
      ),
      told,
      html("p", { class: "bn-key" }, "Dots: mean of each batch. Dashed: mean of the population. Solid: running mean. Bar at the end: how far it is behind."),
    ];
  });
})();
