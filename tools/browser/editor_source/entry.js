// The parts of CodeMirror that the pages use, as one file.
export { EditorState } from "@codemirror/state";
export { Decoration, EditorView, keymap, ViewPlugin } from "@codemirror/view";
export { history, historyKeymap, indentLess, indentMore, standardKeymap } from "@codemirror/commands";
