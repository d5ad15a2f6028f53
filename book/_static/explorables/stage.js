// What the explorables share: making SVG, sliders, switches and points that mouse, finger and keyboard can move.
(function (root) {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const COLORS = {
    direct: "var(--bn-direct)", mean: "var(--bn-mean)", variance: "var(--bn-variance)", total: "var(--bn-total)",
    ink: "var(--bn-ink)", muted: "var(--bn-muted)", grid: "var(--bn-grid)",
  };
  const DASHES = { direct: "", mean: "7 3", variance: "2 3", total: "" };

  function html(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function svg(name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // On a phone the drawing is narrower, so that its words and points keep their size.
  const WIDTH = root.innerWidth < 480 ? 350 : 560;

  function canvas(width, height, label) {
    return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label, class: "bn-canvas" });
  }

  // Numbers as one reads them: three decimals, no minus before zero, and a true minus sign.
  function show(value, digits = 3) {
    const text = value.toFixed(digits);
    return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "\u2212");
  }

  function slider(name, { min, max, step, value }, onChange) {
    const input = html("input", { type: "range", min, max, step });
    input.value = value;
    const output = html("output", {}, String(value));
    input.addEventListener("input", () => {
      output.textContent = input.value;
      onChange(Number(input.value));
    });
    return html("label", { class: "bn-slider" }, html("span", {}, name), input, output);
  }

  function toggle(name, path, onChange) {
    const input = html("input", { type: "checkbox" });
    input.checked = true;
    input.addEventListener("change", () => onChange(input.checked));
    return html("label", { class: `bn-toggle bn-${path}` }, input, html("span", {}, name));
  }

  function button(name, onClick) {
    const element = html("button", { type: "button", class: "bn-button" }, name);
    element.addEventListener("click", onClick);
    return element;
  }

  // A point on a horizontal scale: drag it, or give it the focus and use the arrow keys.
  function point(area, { scale, y, min, max, name, value, color }, onMove) {
    const handle = svg("circle", {
      r: 9, cy: y, cx: scale(value), fill: color, stroke: "var(--bn-ink)", "stroke-width": 1, tabindex: 0,
      role: "slider", "aria-label": name, "aria-valuemin": min, "aria-valuemax": max,
      "aria-valuenow": value.toFixed(2), class: "bn-point",
    });
    const move = (to) => onMove(Math.round(Math.min(max, Math.max(min, to)) * 100) / 100);
    handle.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1, PageDown: -1, PageUp: 1 };
      if (event.key in steps) {
        event.preventDefault();
        move(Number(handle.getAttribute("aria-valuenow")) + steps[event.key]);
      }
    });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(area.getScreenCTM().inverse());
      move(scale.invert(place.x));
    });
    return {
      element: handle,
      place(to) {
        handle.setAttribute("cx", scale(to));
        handle.setAttribute("aria-valuenow", to.toFixed(2));
      },
    };
  }

  function linear([from, to], [left, right]) {
    const scale = (value) => left + ((value - from) / (to - from)) * (right - left);
    scale.invert = (pixel) => from + ((pixel - left) / (right - left)) * (to - from);
    return scale;
  }

  // Put an explorable in the place of the figure that stands in for it.
  function stage(name, build) {
    for (const place of document.querySelectorAll(`[data-explorable="${name}"]`)) {
      const parts = build(JSON.parse(place.dataset.start || "{}"));
      place.replaceChildren(...parts);
      place.classList.add("bn-live");
    }
  }

  root.Stage = { COLORS, DASHES, WIDTH, html, svg, canvas, show, slider, toggle, button, point, linear, stage };
})(globalThis);
