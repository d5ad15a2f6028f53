// An editor for a cell: CodeMirror, bundled when the book is built, or a plain text field where that is missing.
import { highlightPython } from "./highlight.js";

const HINT = "Shift+Enter runs the cell. Tab indents; Escape and then Tab leaves the editor.";

function plainField({ text, label, run, changed }) {
  const field = document.createElement("textarea");
  field.className = "bn-field";
  field.value = text;
  field.rows = Math.min(30, text.split("\n").length + 1);
  field.spellcheck = false;
  field.setAttribute("aria-label", label);
  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  return { element: field, text: () => field.value, set: (value) => (field.value = value), focus: () => field.focus() };
}

export async function openEditor(wishes) {
  let codemirror;
  try {
    codemirror = await import("./codemirror.js");
  } catch {
    return plainField(wishes);
  }
  const { EditorState, EditorView, keymap, history, historyKeymap, standardKeymap, indentMore, indentLess } = codemirror;
  const { run, changed, label, text } = wishes;
  const go = () => (run(), true);
  const view = new EditorView({
    doc: text,
    extensions: [
      EditorState.tabSize.of(4),
      keymap.of([
        { key: "Shift-Enter", run: go },
        { key: "Mod-Enter", run: go },
        { key: "Tab", run: indentMore, shift: indentLess },
        ...standardKeymap,
        ...historyKeymap,
      ]),
      history(),
      highlightPython(codemirror),
      EditorView.contentAttributes.of({ "aria-label": label, "aria-description": HINT, spellcheck: "false" }),
      EditorView.updateListener.of((update) => update.docChanged && changed()),
    ],
  });
  const frame = document.createElement("div");
  frame.className = "highlight bn-editor";
  const hint = document.createElement("p");
  hint.className = "bn-hint";
  hint.textContent = HINT;
  frame.append(view.dom, hint);
  return {
    element: frame,
    text: () => view.state.doc.toString(),
    set: (value) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } }),
    focus: () => view.focus(),
  };
}
