// The clinic: a pasted or dropped batch norm is diagnosed in a worker of its own, and nothing leaves the page.
import { Session, Stopped } from "./session.js";

const PATIENCE = 20_000; // milliseconds for one check, once Python is ready

// The ways of the graph that a belief loses or turns around, told from its id.
function waysOf(belief) {
  if (!belief) return [];
  if (/^(statistics-detached|both-paths|sum-for-mean)/.test(belief)) return ["mean", "variance"];
  const way = /^(direct|mean|variance)-path/.exec(belief);
  return way ? [way[1]] : [];
}

const make = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

class Clinic {
  constructor(box) {
    const find = (selector) => box.querySelector(selector);
    this.box = box;
    this.field = find("textarea");
    this.status = find(".bn-status");
    this.verdict = find(".bn-verdict");
    this.checkButton = find("[data-do=check]");
    this.stopButton = find("[data-do=stop]");
    this.graph = document.querySelector("#fig-clinic-graph svg");
    this.session = new Session((text) => this.hear(text));
    this.name = "pasted.py";
    this.checkButton.addEventListener("click", () => this.check());
    this.stopButton.addEventListener("click", () => this.session.stop());
    find("[data-do=clear]").addEventListener("click", () => this.clear());
    find("input[type=file]").addEventListener("change", (event) => this.open(event.target.files[0]));
    this.field.addEventListener("input", () => (this.name = "pasted.py"));
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.check();
    });
    for (const kind of ["dragover", "drop"]) box.addEventListener(kind, (event) => event.preventDefault());
    box.addEventListener("drop", (event) => this.open(event.dataTransfer.files[0], event.dataTransfer.getData("text")));
    this.examples(find(".bn-examples"));
    find("#bn-clinic-hint").append(` A check that takes longer than ${PATIENCE / 1000} seconds is stopped.`);
    box.hidden = false;
  }

  async examples(place) {
    const told = await (await fetch(new URL("examples.json", import.meta.url))).json();
    for (const { title, code } of told) {
      const chosen = make("button", { type: "button", class: "bn-button" }, title);
      chosen.addEventListener("click", () => {
        this.field.value = code;
        this.name = "example.py";
        this.check();
      });
      place.append(chosen);
    }
  }

  async open(file, text) {
    if (!file && !text) return;
    this.name = file ? file.name : "pasted.py";
    this.field.value = file ? await file.text() : text;
    this.check();
  }

  clear() {
    this.field.value = "";
    this.verdict.replaceChildren();
    this.status.textContent = "";
    this.light([]);
    this.field.focus();
  }

  hear(text) {
    if (!this.busy) return;
    this.status.textContent = text ? `${text} ...` : "Checking ...";
    clearTimeout(this.timer);
    if (!text) this.timer = setTimeout(() => ((this.late = true), this.session.stop()), PATIENCE);
  }

  async check() {
    if (this.busy) return;
    const text = this.field.value;
    if (!text.trim()) {
      this.status.textContent = "Paste some code first.";
      this.field.focus();
      return;
    }
    this.busy = true;
    this.late = false;
    this.box.classList.add("bn-busy");
    this.checkButton.hidden = true;
    this.stopButton.hidden = false;
    this.verdict.replaceChildren();
    this.light([]);
    this.status.textContent = "Checking ...";
    try {
      const isNotebook = /^\s*\{/.test(text) && text.includes('"cells"');
      const name = isNotebook ? this.name.replace(/(\.ipynb)?$/, ".ipynb") : this.name;
      const done = await this.session.ask({ clinic: JSON.stringify({ text, name }) });
      const told = JSON.parse(done.result);
      this.show(told);
      this.status.textContent = told.failed ? "The check itself failed." : `Checked in ${(done.ms / 1000).toFixed(2)} s.`;
    } catch (error) {
      if (this.late) this.status.textContent = `Stopped after ${PATIENCE / 1000} s: is there a loop that never ends?`;
      else if (error instanceof Stopped) this.status.textContent = "Stopped.";
      else this.status.textContent = `Python could not be started: ${error.message} Reload the page to try again.`;
    }
    clearTimeout(this.timer);
    this.busy = false;
    this.box.classList.remove("bn-busy");
    this.checkButton.hidden = false;
    this.stopButton.hidden = true;
  }

  show(told) {
    if (told.failed) {
      this.verdict.append(make("pre", { tabindex: "0" }, told.failed));
      return;
    }
    if (told.problem) {
      this.verdict.append(make("p", {}, make("strong", {}, "Nothing could be checked: "), told.problem));
      return;
    }
    const names = told.functions.map((one) => one.name).join(", ");
    const taken = told.convention && told.convention.title ? `, taken for: ${told.convention.title}` : "";
    this.verdict.append(make("p", {}, make("strong", {}, "Found: "), `${names}${taken}.`));
    for (const one of told.functions) this.verdict.append(this.report(one));
    this.light(told.functions.flatMap((one) => one.findings.flatMap((found) => waysOf(found.belief))));
  }

  report(one) {
    const title = { right: "right", mistaken: "mistaken", unreadable: "not checked" }[one.status] || one.status;
    const box = make("section", { class: `bn-report bn-${one.status}` });
    box.append(make("h3", {}, `${one.name}: ${title}`));
    if (one.reason) box.append(make("p", {}, one.reason));
    for (const found of one.findings) {
      box.append(make("p", { class: "bn-belief" }, make("strong", {}, found.message)));
      const hints = make("details", {}, make("summary", {}, "Hints"));
      hints.append(make("ol", {}, ...found.hints.filter(Boolean).map((hint) => make("li", {}, hint))));
      box.append(hints);
      if (found.remark) box.append(make("p", {}, found.remark));
      box.append(make("p", {}, "Read on: ", make("a", { href: `../${found.page}.html` }, found.page)));
    }
    for (const note of [...one.notes, ...one.differences]) box.append(make("p", { class: "bn-note" }, note));
    return box;
  }

  // Light the ways that are lost; the others step back.
  light(ways) {
    if (!this.graph) return;
    this.graph.classList.toggle("bn-lit", ways.length > 0);
    for (const edge of this.graph.querySelectorAll(".bn-edge")) {
      edge.classList.toggle("bn-lost", ways.some((way) => edge.classList.contains(`bn-edge-${way}`)));
    }
    if (ways.length) {
      const names = { direct: "direct", mean: "through the mean", variance: "through the variance" };
      const said = [...new Set(ways)].map((way) => names[way]).join(" and ");
      this.verdict.append(make("p", {}, make("a", { href: "#fig-clinic-graph" }, `In the graph below the path ${said} is lit.`)));
    }
  }
}

export function start(box) {
  globalThis.bnClinic = new Clinic(box);
  document.documentElement.dataset.clinic = "ready";
}
