// What a run of a cell gives, in the place and the dress of what the book has there.

const FRAMES = {
  stdout: "output stream highlight-myst-ansi notranslate",
  stderr: "output stderr highlight-myst-ansi notranslate",
  text: "output text_plain highlight-myst-ansi notranslate",
  error: "output traceback highlight-ipythontb notranslate",
};

function box(className) {
  const made = document.createElement("div");
  made.className = className;
  return made;
}

export class Output {
  constructor(cell, input) {
    this.place = cell.querySelector(".cell_output");
    this.original = this.place ? [...this.place.childNodes].filter((node) => node.className !== "bn-veil") : null;
    this.cell = cell;
    this.input = input;
  }

  begin() {
    this.fresh = true;
    if (this.place) this.place.classList.add("bn-old");
  }

  // The first piece replaces what was there; a figure keeps its number and its caption.
  clear() {
    if (!this.fresh) return;
    this.fresh = false;
    if (!this.place) {
      this.place = box("cell_output docutils container");
      this.cell.append(this.place);
    }
    this.place.classList.remove("bn-old");
    const caption = this.place.querySelector(":scope > figure > figcaption");
    this.figure = null;
    if (caption) {
      const frame = caption.parentElement.cloneNode(false);
      frame.append(caption.cloneNode(true));
      this.figure = frame;
    }
    this.place.replaceChildren();
    this.stream = null;
  }

  add(kind, text) {
    this.clear();
    if (kind === "html") {
      const frame = box("output text_html");
      frame.innerHTML = text;
      if (this.figure && !this.figure.isConnected) {
        this.figure.prepend(frame);
        this.place.append(this.figure);
      } else this.place.append(frame);
      this.stream = null;
      return;
    }
    if (this.stream && this.stream.kind === kind && (kind === "stdout" || kind === "stderr")) {
      this.stream.pre.append(text);
      return;
    }
    const frame = box(FRAMES[kind]);
    const inner = box("highlight");
    const pre = document.createElement("pre");
    pre.tabIndex = 0;
    pre.append(text);
    inner.append(pre);
    frame.append(inner);
    this.place.append(frame);
    this.stream = { kind, pre };
  }

  // Nothing was printed or shown: then nothing stands there; what stood there stays if the run broke off before.
  end(broke = false) {
    if (this.fresh && !broke && this.place) this.clear();
    if (this.place) this.place.classList.remove("bn-old");
  }

  restore() {
    if (!this.place) return;
    this.place.classList.remove("bn-old");
    if (this.original) this.place.replaceChildren(...this.original);
    else {
      this.place.remove();
      this.place = null;
    }
  }
}
