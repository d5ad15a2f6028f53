// A prediction box remembers, on this machine only, what the reader committed to before the output is shown.
(function () {
  "use strict";
  const page = location.pathname.replace(/^.*\/book\//, "");

  function kept(key, value) {
    try {
      if (value === undefined) return localStorage.getItem(key);
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      return null; // a browser that keeps nothing: the box works for this visit
    }
    return value;
  }

  function make(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function button(name, onClick) {
    const made = make("button", { type: "button", class: "bn-button" }, name);
    made.addEventListener("click", onClick);
    return made;
  }

  // The output that answers: that of the first cell after the box.
  function answer(box) {
    for (const output of document.querySelectorAll("div.cell > .cell_output, div.cell > details .cell_output")) {
      if (box.compareDocumentPosition(output) & Node.DOCUMENT_POSITION_FOLLOWING) return output;
    }
    return null;
  }

  document.querySelectorAll(".admonition.prediction").forEach(function (box, place) {
    const key = `bn-prediction ${page} ${place}`;
    const output = answer(box);
    const form = make("div", { class: "bn-predict" });
    const veil = make("p", { class: "bn-veil" });
    box.append(form);

    // A keyboard that was on the veil goes on at what the veil has hidden.
    function unveil() {
      const focused = veil.contains(document.activeElement);
      if (output) output.classList.remove("bn-veiled");
      veil.remove();
      if (!focused) return;
      output.tabIndex = -1;
      output.focus();
    }

    function ask() {
      const field = make("textarea", { rows: 2, id: `bn-prediction-${place}` });
      const label = make("label", { for: field.id }, "Your prediction (kept on this machine only)");
      const commit = button("Commit", function () {
        if (!field.value.trim()) return field.focus();
        kept(key, field.value.trim());
        show(field.value.trim());
        form.querySelector("button").focus();
        unveil();
      });
      form.replaceChildren(label, field, commit);
      if (output) {
        veil.replaceChildren("The output waits for your prediction. ", button("Show it without one", unveil));
        output.classList.add("bn-veiled");
        output.prepend(veil);
      }
    }

    function show(text) {
      const forget = button("Forget it", function () {
        kept(key, null);
        ask();
        form.querySelector("textarea").focus();
      });
      form.replaceChildren(make("p", { class: "bn-kept" }, make("strong", {}, "You predicted: "), text), forget);
    }

    const before = kept(key);
    if (before) show(before);
    else ask();
    document.addEventListener("bn-run", function (event) {
      if (output && event.detail && event.detail.contains(output)) unveil();
    });
  });
})();
