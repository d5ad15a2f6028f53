// The three paths of dx: switch each on and off, and compare with finite differences of the forward pass.
(function () {
  "use strict";
  const { COLORS, WIDTH, html, svg, canvas, show, slider, toggle, point, linear, stage } = globalThis.Stage;
  const BN = globalThis.BatchNorm;
  const NAMES = { direct: "direct", mean: "through the mean", variance: "through the variance" };

  stage("paths", (start) => {
    const state = {
      x: start.x || [1, 2, 4, 9], dy: start.dy || [1, 0, 0, 0], eps: start.eps === undefined ? 1e-5 : start.eps,
      on: { direct: true, mean: true, variance: true },
    };
    const width = WIDTH;
    const scale = linear([0, 10], [56, width - 24]);
    const area = canvas(width, 312, "Gradient of each sample, and below it the samples, which can be moved");
    const bars = svg("g");
    const handles = svg("g");
    const told = html("p", { class: "bn-told", "aria-live": "polite" });

    function draw() {
      const parts = BN.paths(state.x, state.dy, 1, state.eps);
      const numerical = BN.finiteDifferences(state.x, state.dy, 1, state.eps, 1e-4);
      const total = state.x.map((_, i) => BN.sum(Object.keys(NAMES).map((path) => (state.on[path] ? parts[path][i] : 0))));
      const { xHat } = BN.forward(state.x, 1, 0, state.eps);
      const sizes = [...total, ...numerical, ...Object.values(parts).flat()].map(Math.abs);
      const height = linear([-Math.max(...sizes, 0.01), Math.max(...sizes, 0.01)], [225, 15]);
      bars.replaceChildren(
        svg("line", { x1: 44, x2: width - 10, y1: height(0), y2: height(0), stroke: COLORS.muted }),
        svg("line", { x1: 44, x2: width - 10, y1: 265, y2: 265, stroke: COLORS.muted }),
        svg("text", { x: 4, y: 20, fill: COLORS.ink, "font-size": 18 }, "dx"),
        svg("text", { x: 4, y: 270, fill: COLORS.ink, "font-size": 18 }, "x"),
      );
      const largest = Math.max(...sizes, 0.01);
      for (const tick of [largest, 0, -largest]) {
        const words = { x: 40, y: height(tick) + (tick > 0 ? 26 : 5), fill: COLORS.muted, "font-size": 18, "text-anchor": "end" };
        bars.append(svg("text", words, show(tick, tick ? 2 : 0)));
      }
      for (const tick of [0, 5, 10]) {
        bars.append(svg("text", { x: scale(tick), y: 298, fill: COLORS.muted, "font-size": 18, "text-anchor": "middle" }, tick));
      }
      state.x.forEach((value, i) => {
        Object.keys(NAMES).forEach((path, n) => {
          if (!state.on[path]) return;
          const at = scale(value) - 12 + 8 * n;
          const top = Math.min(height(0), height(parts[path][i]));
          bars.append(svg("rect", {
            x: at - 3, y: top, width: 6, height: Math.abs(height(parts[path][i]) - height(0)), fill: COLORS[path],
          }));
        });
        const at = scale(value) + 14;
        const wrong = Math.abs(total[i] - numerical[i]) > 1e-4;
        bars.append(
          svg("line", { x1: at, x2: at, y1: height(0), y2: height(total[i]), stroke: COLORS.total, "stroke-width": 4 }),
          svg("circle", {
            cx: at, cy: height(numerical[i]), r: 6, fill: "none", stroke: wrong ? COLORS.mean : COLORS.ink,
            "stroke-width": 2.2,
          }),
        );
        points[i].place(value);
      });
      const gap = Math.max(...total.map((value, i) => Math.abs(value - numerical[i])));
      told.replaceChildren(
        html("span", {}, `Sum of dx: ${show(BN.sum(total))}. `),
        html("span", {}, `Sum of dx times x̂: ${show(BN.sum(total.map((v, i) => v * xHat[i])))}. `),
        html("span", {}, `Largest distance from finite differences: ${show(gap)}.`),
      );
    }

    const points = state.x.map((value, i) =>
      point(area, { scale, y: 265, min: 0, max: 10, name: `sample ${i + 1}`, value, color: COLORS.direct }, (to) => {
        state.x[i] = to;
        draw();
      }),
    );
    handles.append(...points.map((p) => p.element));
    area.append(bars, handles);
    draw();
    return [
      area,
      html("div", { class: "bn-buttons" },
        ...Object.entries(NAMES).map(([path, name]) =>
          toggle(name, path, (on) => {
            state.on[path] = on;
            draw();
          }),
        ),
      ),
      html("div", { class: "bn-controls" },
        ...state.dy.map((value, i) =>
          slider(`dy ${i + 1}`, { min: -2, max: 2, step: 0.1, value }, (to) => {
            state.dy[i] = to;
            draw();
          }),
        ),
      ),
      told,
      html("p", { class: "bn-key" }, "Thin bars: what each path brings. Thick bar: dx from the paths that are switched on. Ring: finite differences."),
    ];
  });
})();
