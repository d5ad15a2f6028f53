// The mean squared deviation about a center: drag the center along the parabola; slope, term and the wrong dx follow.
(function () {
  "use strict";
  const { COLORS, WIDTH, html, svg, canvas, show, slider, button, point, linear, stage } = globalThis.Stage;
  const BN = globalThis.BatchNorm;
  const EPS = 1e-5;
  const AXIS = 190;

  stage("center", (start) => {
    const x = start.x || [1, 2, 3, 5, 9];
    const first = { center: start.center === undefined ? 6 : start.center, dy: start.dy || [1, 0, -0.5, 0, 0.5] };
    const state = { center: first.center, dy: [...first.dy] };
    const batchMean = BN.mean(x);
    const width = WIDTH;
    const across = linear([0, 10], [56, width - 24]);
    const up = linear([0, BN.aboutCenter(x, state.dy, 0, EPS).spread], [AXIS - 14, 16]);
    const area = canvas(width, 330, "Spread of the samples about a center, which can be moved, and below it dx of each sample");
    const drawing = svg("g");
    const told = html("p", { class: "bn-told", "aria-live": "polite" });

    function draw() {
      const at = BN.aboutCenter(x, state.dy, state.center, EPS);
      const curve = Array.from({ length: 101 }, (_, i) => {
        const center = i / 10;
        return `${i ? "L" : "M"}${across(center)} ${up(BN.aboutCenter(x, state.dy, center, EPS).spread)}`;
      }).join(" ");
      const reach = 1.3;
      const largest = Math.max(0.01, ...[...at.dx, ...at.without].map(Math.abs));
      const height = linear([-largest, largest], [320, 226]);
      drawing.replaceChildren(
        svg("path", { d: curve, fill: "none", stroke: COLORS.variance, "stroke-width": 2.4 }),
        svg("line", { x1: 44, x2: width - 10, y1: AXIS, y2: AXIS, stroke: COLORS.muted }),
        svg("text", { x: 4, y: 20, fill: COLORS.ink, "font-size": 18 }, "v(c)"),
        svg("text", { x: 4, y: AXIS + 5, fill: COLORS.ink, "font-size": 18 }, "c"),
        svg("text", { x: 4, y: 277, fill: COLORS.ink, "font-size": 18 }, "dx"),
        svg("line", { x1: across(batchMean), x2: across(batchMean), y1: AXIS - 8, y2: AXIS + 8, stroke: COLORS.ink, "stroke-width": 2 }),
        svg("text", { x: across(batchMean), y: AXIS + 26, fill: COLORS.ink, "font-size": 18, "text-anchor": "middle" }, "mean"),
        svg("line", {
          x1: across(state.center - reach), x2: across(state.center + reach),
          y1: up(at.spread - reach * at.slope), y2: up(at.spread + reach * at.slope), stroke: COLORS.mean, "stroke-width": 3,
        }),
        svg("line", {
          x1: across(state.center), x2: across(state.center), y1: up(at.spread), y2: AXIS, stroke: COLORS.mean, "stroke-dasharray": "3 3",
        }),
        svg("line", { x1: 44, x2: width - 10, y1: height(0), y2: height(0), stroke: COLORS.muted }),
        ...x.map((value) => svg("line", { x1: across(value), x2: across(value), y1: AXIS - 5, y2: AXIS + 5, stroke: COLORS.muted, "stroke-width": 2 })),
        ...x.flatMap((value, i) => [
          svg("line", { x1: across(value), x2: across(value), y1: height(0), y2: height(at.dx[i]), stroke: COLORS.total, "stroke-width": 5 }),
          svg("circle", { cx: across(value), cy: height(at.without[i]), r: 6, fill: "none", stroke: COLORS.mean, "stroke-width": 2.2 }),
        ]),
      );
      handle.place(state.center);
      const size = Math.sqrt(BN.sum(at.dx.map((value) => value ** 2)));
      const error = Math.sqrt(BN.sum(at.dx.map((value, i) => (value - at.without[i]) ** 2)));
      told.replaceChildren(
        html("span", {}, `Center ${show(state.center, 2)}, the mean is ${show(batchMean, 2)}. Spread ${show(at.spread)}, slope ${show(at.slope)}. `),
        html("span", {}, `Direct part ${show(at.direct)}, term through the spread ${show(at.term)}. `),
        html("span", {}, `Without the term, dx is wrong by ${size > 1e-9 ? show((100 * error) / size, 1) : "0.0"} %.`),
      );
    }

    const handle = point(area, { scale: across, y: AXIS, min: 0, max: 10, name: "center", value: state.center, color: COLORS.mean }, (to) => {
      state.center = to;
      draw();
    });
    area.append(drawing, handle.element);
    draw();
    return [
      area,
      html("div", { class: "bn-buttons" },
        button("center = mean", () => {
          state.center = batchMean;
          draw();
        }),
        button("start again", () => {
          state.center = first.center;
          draw();
        }),
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
      html("p", { class: "bn-key" }, "Curve: spread about c. Straight line: its slope at the center. Bars: dx. Rings: dx without the term through the spread."),
    ];
  });
})();
