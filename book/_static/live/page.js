// Run, Edit, Reset and Stop for the cells of a page. What a cell needs is run before it; facts come from live_cells.py.
import { Output } from "./output.js";
import { brokeOff, Session, Stopped } from "./session.js";

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const button = (name, label, onClick) => {
  const made = element("button", { type: "button", class: "bn-button", "aria-label": label }, name);
  made.addEventListener("click", onClick);
  return made;
};

class Cell {
  constructor(facts, box, number) {
    Object.assign(this, facts, { box, number, name: `cell ${number}`, ran: null });
    this.input = box && box.querySelector(".cell_input");
    if (!this.input) return;
    this.highlighted = this.input.querySelector(".highlight");
    this.original = this.input.querySelector("pre").textContent.replace(/\n$/, "");
    this.output = new Output(box, this.input);
  }

  // The code as the reader has it now; of hidden cells, what the facts hold.
  get source() {
    if (this.editor) return this.editor.text();
    return this.original ?? this.code;
  }
}

class Page {
  constructor(facts, session) {
    const boxes = new Map();
    for (const box of document.querySelectorAll(".bn-cell")) {
      const found = /\bbn-cell-(\d+)\b/.exec(box.className);
      if (found) boxes.set(Number(found[1]), box);
    }
    let number = 0;
    this.cells = new Map();
    for (const fact of facts) {
      const box = boxes.get(fact.index);
      const shown = box && box.querySelector(".cell_input");
      this.cells.set(fact.index, new Cell(fact, shown ? box : null, shown ? (number += 1) : 0));
    }
    this.session = session;
    session.tell = (text) => this.running && this.say(this.running, text ? `${text} ...` : "Running ...");
    for (const cell of this.cells.values()) if (cell.input) this.furnish(cell);
  }

  furnish(cell) {
    const bar = element("div", { class: "bn-run", role: "group", "aria-label": `Cell ${cell.number}` });
    if (cell.why) {
      bar.append(element("span", { class: "bn-why" }, `Not run here: this cell ${cell.why}.`));
      cell.input.after(bar);
      return;
    }
    cell.status = element("span", { class: "bn-status", role: "status" });
    cell.runButton = button("Run", `Run cell ${cell.number}`, () => this.run(cell));
    cell.stopButton = button("Stop", `Stop cell ${cell.number}`, () => this.session.stop());
    cell.editButton = button("Edit", `Edit cell ${cell.number}`, () => this.edit(cell));
    cell.resetButton = button("Reset", `Reset cell ${cell.number} to the book's code and output`, () => this.reset(cell));
    bar.append(cell.runButton, cell.stopButton, cell.editButton, cell.resetButton);
    const above = [...this.cells.values()].some((one) => one.input && !one.why && one.index < cell.index);
    if (above) {
      cell.aboveButton = button("Run all above", `Run all above cell ${cell.number}, and it`, () => this.run(cell, true));
      bar.append(cell.aboveButton);
    }
    bar.append(cell.status);
    cell.input.after(bar);
    cell.stopButton.hidden = cell.resetButton.hidden = true;
  }

  say(cell, text) {
    if (cell.status && cell.status.textContent !== text) cell.status.textContent = text;
  }

  // What has to run for a cell, in the page's order: what it needs, or all that is above it. Of what it needs, what has
  // run as it stands is left out, unless something above that has yet to run: what came later would be undone by it.
  plan(cell, all) {
    const wanted = [...this.cells.values()].filter(
      (one) => one.code && (all ? one.index < cell.index : cell.needs.includes(one.index)),
    );
    const stale = (one) => one.ran === null || (one.input && !one.why && one.ran !== one.source);
    const left = wanted.filter(stale);
    const undone = left.length && wanted.some((one) => one.index > left[0].index && !stale(one));
    return all || undone ? wanted : left;
  }

  async run(cell, all = false) {
    if (this.running) return;
    this.running = cell;
    cell.box.classList.add("bn-busy");
    cell.runButton.hidden = true;
    cell.stopButton.hidden = false;
    const pressed = document.activeElement;
    const isAbove = pressed !== null && pressed === cell.aboveButton;
    if (isAbove || pressed === document.body || pressed === cell.runButton) cell.stopButton.focus();
    this.lock(true);
    this.say(cell, "Running ...");
    try {
      const before = this.plan(cell, all);
      let failed = null;
      for (const one of [...before, cell]) {
        if (!(await this.runOne(one))) {
          failed = one;
          break;
        }
      }
      if (!failed) this.say(cell, `Done in ${cell.took < 100 ? "under 0.1" : (cell.took / 1000).toFixed(1)} s.`);
      else this.say(cell, failed === cell ? "Ended with an error." : `Not run: ${failed.number ? failed.name : "a hidden cell"} ended with an error.`);
    } catch (error) {
      this.forget();
      if (error instanceof Stopped) this.say(cell, "Stopped. What the cells had computed is gone; Run starts again.");
      else this.say(cell, `${brokeOff(error)} Run starts again.`);
    }
    const focused = document.activeElement === cell.stopButton;
    this.running = null;
    cell.box.classList.remove("bn-busy");
    cell.runButton.hidden = false;
    cell.stopButton.hidden = true;
    this.lock(false);
    if (focused) (isAbove ? cell.aboveButton : cell.runButton).focus();
  }

  // While a cell runs, no other can be run, and none can get its old output back.
  lock(locked) {
    for (const one of this.cells.values()) {
      for (const name of ["runButton", "aboveButton", "resetButton"]) if (one[name]) one[name].disabled = locked;
    }
  }

  async runOne(cell) {
    const visible = cell.input && !cell.why;
    const code = visible ? cell.source : cell.code;
    if (visible) cell.output.begin();
    document.dispatchEvent(new CustomEvent("bn-run", { detail: cell.box }));
    let told = "";
    const hear = ({ kind, text }) => {
      if (kind === "error") told = text;
      if (visible) cell.output.add(kind, text);
    };
    const request = { code, label: cell.name, libraries: cell.libraries || [], silent: !visible };
    let done;
    try {
      done = await this.session.ask(request, hear);
    } catch (error) {
      if (visible) cell.output.end(true);
      throw error;
    }
    if (visible) cell.output.end();
    if (done.ok) cell.ran = code;
    else if (!visible && this.running) this.running.output.add("error", told);
    cell.took = done.ms;
    if (visible && cell.resetButton) cell.resetButton.hidden = false;
    return done.ok;
  }

  // The worker is gone, and with it every name.
  forget() {
    for (const one of this.cells.values()) one.ran = null;
  }

  async edit(cell) {
    if (cell.editor) {
      cell.editor.focus();
      return;
    }
    cell.editButton.disabled = true;
    let openEditor;
    try {
      ({ openEditor } = await import("./editor.js"));
    } catch {
      cell.editButton.disabled = false;
      this.say(cell, "The editor cannot be loaded. Edit tries again.");
      return;
    }
    cell.editor = await openEditor({
      text: cell.source,
      label: `Code of cell ${cell.number}`,
      run: () => this.run(cell),
      changed: () => (cell.resetButton.hidden = false),
    });
    cell.highlighted.hidden = true;
    cell.highlighted.after(cell.editor.element);
    cell.editButton.hidden = true;
    cell.editButton.disabled = false;
    cell.editor.focus();
  }

  reset(cell) {
    if (cell.editor) cell.editor.element.remove();
    cell.editor = null;
    cell.highlighted.hidden = false;
    cell.editButton.hidden = false;
    cell.resetButton.hidden = true;
    cell.output.restore();
    this.say(cell, "As in the book again.");
    cell.editButton.focus();
  }
}

// The tests put the cells of many pages in one page's place, with the session of the first.
export function start(facts, session = new Session()) {
  globalThis.bnPage = new Page(facts, session);
  document.documentElement.dataset.live = "ready";
}
