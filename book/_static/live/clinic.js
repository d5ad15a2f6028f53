// The clinic: a pasted or dropped batch norm is diagnosed in a worker of its own, and nothing leaves the page.
import { brokeOff, Session, Stopped } from "./session.js";

const PATIENCE = 20_000; // milliseconds for one check, once Python is ready
const SHOWN = 200_000; // characters that the field shows; a longer file is checked without being shown
const MOST = 50_000_000; // bytes of a file: a notebook with many pictures has a tenth of them
const MOST_CODE = 1_000_000; // characters of code: a course's whole layers.py has a tenth of them

const ELSEWHERE = "Only NumPy runs in a browser. Where that package is installed, bncourse diagnose says the same of a file.";

const megabytes = (size) => `${(size / 1e6).toFixed(1)} MB`;

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

// The text of a file in whatever encoding it has, as `bncourse diagnose` reads it.
async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = { "255 254": "utf-16le", "254 255": "utf-16be" }[`${bytes[0]} ${bytes[1]}`];
  if (mark) return new TextDecoder(mark).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

// The title of a page of the book, as the table of contents has it.
function titleOf(page) {
  const link = document.querySelector(`nav a[href$=${JSON.stringify(`/${page}.html`)}]`);
  return link ? link.textContent.trim() : page;
}

class Clinic {
  constructor(box) {
    const find = (selector) => box.querySelector(selector);
    this.box = box;
    this.field = find("textarea");
    this.status = find(".bn-status");
    this.verdict = find(".bn-verdict");
    this.checkButton = find("[data-do=check]");
    this.stopButton = find("[data-do=stop]");
    this.undoButton = find("[data-do=undo]");
    this.graph = document.querySelector("#fig-clinic-graph svg");
    this.session = new Session((text) => this.hear(text), { confined: true });
    this.name = "pasted.py";
    this.checkButton.addEventListener("click", () => this.check());
    this.stopButton.addEventListener("click", () => this.session.stop());
    this.undoButton.addEventListener("click", () => this.undo());
    find("[data-do=clear]").addEventListener("click", () => this.put("", "pasted.py"));
    find("input[type=file]").addEventListener("change", ({ target }) => {
      this.open([...target.files]);
      target.value = ""; // the same file can be chosen again when it has changed
    });
    this.field.addEventListener("input", () => Object.assign(this, { name: "pasted.py", held: null }));
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.check();
    });
    // A file that falls beside the box is taken too: a browser would leave the page for it.
    const isOurs = ({ target, dataTransfer }) => box.contains(target) || dataTransfer.types.includes("Files");
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => isOurs(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      const { dataTransfer: dropped } = event;
      if (isOurs(event)) this.open([...dropped.files], dropped.getData("text"));
    });
    this.examples(find(".bn-examples"));
    find("#bn-clinic-hint").append(` A check that takes longer than ${PATIENCE / 1000} seconds is stopped.`);
    box.hidden = false;
  }

  async examples(place) {
    const told = await (await fetch(new URL("examples.json", import.meta.url))).json();
    this.own = new Set(told.map(({ code }) => code));
    for (const { title, code } of told) {
      const chosen = make("button", { type: "button", class: "bn-button" }, title);
      chosen.addEventListener("click", () => this.put(code, "example.py") && this.check());
      place.append(chosen);
    }
  }

  async open(files, text) {
    const [file] = files;
    if (!file && !text) return;
    if (!file) {
      if (this.put(text, "pasted.py")) this.check();
      return;
    }
    if (file.size > MOST) {
      this.say(`${file.name} has ${megabytes(file.size)}; at most ${megabytes(MOST)} are read. Save the code alone.`);
      return;
    }
    let content;
    try {
      content = await textOf(file);
    } catch {
      this.say(`${file.name} cannot be read. Is it a folder? Choose one file.`);
      return;
    }
    if (!this.put(content, file.name)) return;
    await this.check();
    if (files.length > 1) this.say(`${this.status.textContent} Of ${files.length} files only ${file.name} was checked.`);
  }

  // The code that is checked; of a large file the field does not show it.
  get code() {
    return this.held ?? this.field.value;
  }

  // Put a text in the place of the one that stands there, which *Undo* brings back; false while a check runs.
  put(text, name) {
    if (this.busy) {
      this.say("A check is running. Stop it first, then try again.");
      return false;
    }
    const { code: before, name: nameBefore } = this;
    if (before.trim() && before !== text) {
      this.before = { text: before, name: nameBefore };
      this.undoButton.hidden = false;
    }
    this.name = name;
    this.held = text.length > SHOWN ? text : null;
    this.field.value = this.held ? `# ${name} is too long to be shown (${megabytes(text.length)}); it is checked whole.\n` : text;
    this.verdict.replaceChildren();
    this.say("");
    this.light([]);
    if (!text) this.field.focus();
    return true;
  }

  undo() {
    const { before } = this;
    if (this.put(before.text, before.name)) this.field.focus();
  }

  say(text) {
    this.status.textContent = text;
  }

  hear(text) {
    if (!this.busy) return;
    this.say(text ? `${text} ...` : "Checking ...");
    clearTimeout(this.timer);
    if (!text) this.timer = setTimeout(() => ((this.late = true), this.session.stop()), PATIENCE);
  }

  async check() {
    if (this.busy) return;
    const text = this.code;
    if (!text.trim()) {
      this.say("Paste some code first.");
      this.field.focus();
      return;
    }
    const isNotebook = /^\s*\{/.test(text) && text.includes('"cells"');
    if (!isNotebook && text.length > MOST_CODE) {
      this.say(`${this.name} has ${megabytes(text.length)} of code; at most ${megabytes(MOST_CODE)} is checked. Keep the functions alone.`);
      return;
    }
    this.turn(true);
    this.late = false;
    this.verdict.replaceChildren();
    this.light([]);
    this.say("Checking ...");
    try {
      const name = isNotebook ? this.name.replace(/(\.ipynb)?$/, ".ipynb") : this.name;
      const done = await this.session.ask({ clinic: JSON.stringify({ text, name }) });
      const told = JSON.parse(done.result);
      this.show(told);
      this.say(told.failed ? "The check itself failed." : `Checked in ${(done.ms / 1000).toFixed(2)} s.`);
    } catch (error) {
      if (this.late) this.say(`Stopped after ${PATIENCE / 1000} s: is there a loop that never ends?`);
      else if (error instanceof Stopped) this.say("Stopped.");
      else this.say(`${brokeOff(error)} Check starts again.`);
    }
    clearTimeout(this.timer);
    this.turn(false);
    if (!this.own?.has(text)) this.renew();
  }

  // Show that a check runs, or no longer; a keyboard stays where it is.
  turn(busy) {
    const [hidden, shown] = busy ? [this.checkButton, this.stopButton] : [this.stopButton, this.checkButton];
    const focused = document.activeElement === hidden;
    this.busy = busy;
    this.box.classList.toggle("bn-busy", busy);
    shown.hidden = false;
    if (focused) shown.focus();
    hidden.hidden = true;
  }

  // Whatever a reader's code has changed does not reach the next check: that has another Python, made ready at once.
  renew() {
    this.session.stop();
    this.session.ask({ clinic: "" }).catch(() => {});
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
    box.append(make("h2", {}, `${one.name}: ${title}`));
    if (one.reason) box.append(make("p", {}, one.reason));
    if (/not installed here/.test(one.reason)) box.append(make("p", {}, ELSEWHERE));
    if (one.place) for (const line of one.place.text.split("\n")) box.append(make("p", {}, line));
    for (const found of one.findings) {
      box.append(make("p", { class: "bn-belief" }, make("strong", {}, found.message)));
      const hints = make("details", {}, make("summary", {}, "Hints"));
      hints.append(make("ol", {}, ...found.hints.filter(Boolean).map((hint) => make("li", {}, hint))));
      box.append(hints);
      if (found.remark) box.append(make("p", {}, found.remark));
      box.append(make("p", {}, "Read on: ", make("a", { href: `../${found.page}.html` }, titleOf(found.page))));
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
