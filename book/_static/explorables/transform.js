// The transform: move the samples, gamma, beta and eps, and see what is kept and what is taken away.
(function () {
  "use strict";
  const { COLORS, WIDTH, html, svg, canvas, show, slider, button, point, linear, stage } = globalThis.Stage;
  const BN = globalThis.BatchNorm;

  stage("transform", (start) => {
    const first = start.x || [-3, -1, 0.5, 1, 5];
    const state = { x: [...first], gamma: 1, beta: 0, eps: 0 };
    const before = BN.forward(first, 1, 0, 0);
    const rows = { x: 35, x_hat: 115, y: 195 };
    const scale = linear([-8, 8], [38, WIDTH - 16]);
    const area = canvas(WIDTH, 230, "Three number lines: x, x hat and y");
    const lines = svg("g");
    const handles = svg("g");
    const told = html("p", { class: "bn-told", "aria-live": "polite" });
    let points = [];

    function axis(name, y) {
      lines.append(
        svg("line", { x1: scale(-8), x2: scale(8), y1: y, y2: y, stroke: COLORS.muted }),
        svg("text", { x: 4, y: y + 5, fill: COLORS.ink, "font-size": 20 }, name),
      );
      for (let tick = -8; tick <= 8; tick += 4) {
        lines.append(
          svg("line", { x1: scale(tick), x2: scale(tick), y1: y - 4, y2: y + 4, stroke: COLORS.muted }),
          svg("text", { x: scale(tick), y: y + 27, fill: COLORS.muted, "font-size": 18, "text-anchor": "middle" }, tick),
        );
      }
    }

    function band(center, spread, y) {
      const left = scale(center - spread);
      lines.append(
        svg("rect", {
          x: left, width: Math.max(1, scale(center + spread) - left), y: y - 13, height: 26, rx: 5,
          fill: COLORS.variance, opacity: 0.22,
        }),
        svg("line", {
          x1: scale(center), x2: scale(center), y1: y - 17, y2: y + 17, stroke: COLORS.mean, "stroke-width": 3,
        }),
      );
    }

    function draw() {
      const result = BN.forward(state.x, state.gamma, state.beta, state.eps);
      const after = BN.moments(result.y);
      lines.replaceChildren();
      for (const [name, y] of Object.entries(rows)) axis(name.replace("x_hat", "x̂"), y);
      band(result.mean, Math.sqrt(result.var), rows.x);
      band(0, Math.sqrt(BN.moments(result.xHat).var), rows.x_hat);
      band(after.mean, Math.sqrt(after.var), rows.y);
      for (const [then, now, y] of [[before.xHat, result.xHat, rows.x_hat], [before.y, result.y, rows.y]]) {
        for (const v of then.filter((left) => now.every((is) => Math.abs(is - left) > 0.03))) {
          lines.append(svg("circle", { cx: scale(v), cy: y, r: 7, fill: "none", stroke: COLORS.muted, "stroke-width": 1.5 }));
        }
      }
      state.x.forEach((value, i) => {
        const stops = [[value, rows.x], [result.xHat[i], rows.x_hat], [result.y[i], rows.y]];
        const d = stops.map(([v, y], n) => `${n ? "L" : "M"}${scale(v)} ${y}`).join(" ");
        lines.append(svg("path", { d, fill: "none", stroke: COLORS.grid, "stroke-width": 1.5 }));
        for (const [v, y] of stops.slice(1)) lines.append(svg("circle", { cx: scale(v), cy: y, r: 6, fill: COLORS.direct }));
        points[i].place(value);
      });
      const said = { x: result, "x̂": BN.moments(result.xHat), y: after };
      told.replaceChildren(
        ...Object.entries(said).map(([name, of]) =>
          html("span", {}, `${name}: mean ${show(of.mean)}, variance ${show(of.var)}. `),
        ),
      );
    }

    function place() {
      points = state.x.map((value, i) =>
        point(area, { scale, y: rows.x, min: -8, max: 8, name: `sample ${i + 1}`, value, color: COLORS.direct }, (to) => {
          state.x[i] = to;
          draw();
        }),
      );
      handles.replaceChildren(...points.map((p) => p.element));
      draw();
    }

    const set = (name) => (value) => {
      state[name] = value;
      draw();
    };
    area.append(lines, handles);
    const sliders = html("div", { class: "bn-controls" });
    function fill() {
      Object.assign(state, { x: [...first], gamma: 1, beta: 0, eps: 0 });
      sliders.replaceChildren(
        slider("γ", { min: -3, max: 3, step: 0.1, value: 1 }, set("gamma")),
        slider("β", { min: -4, max: 4, step: 0.1, value: 0 }, set("beta")),
        slider("ε", { min: 0, max: 4, step: 0.1, value: 0 }, set("eps")),
      );
      place();
    }
    fill();
    return [
      area,
      sliders,
      html("div", { class: "bn-buttons" },
        button("add a sample", () => {
          if (state.x.length < 9) state.x.push(state.x.length % 2 ? 2.5 : -2.5);
          place();
        }),
        button("remove a sample", () => {
          if (state.x.length > 2) state.x.pop();
          place();
        }),
        button("start again", fill),
      ),
      told,
      html("p", { class: "bn-key" }, "Bar: mean. Band: one standard deviation to each side. Rings: where the outputs were at the start."),
    ];
  });
})();
