// In the place of @codemirror/language, which would bring a parser of 45 kB: the little that the commands ask it for.
// The pages color code with Pygments' class names (highlight.js), and Python is indented like the line before.
import { countColumn, Facet } from "@codemirror/state";

export const indentUnit = Facet.define({ combine: (values) => values[0] ?? "    " });
export const getIndentUnit = (state) => state.facet(indentUnit).length;
export const indentString = (state, columns) => " ".repeat(columns);
export const matchBrackets = () => null;
export const syntaxTree = () => ({ resolveInner: () => ({ childBefore: () => null, childAfter: () => null }) });

export class IndentContext {
  constructor(state, options = {}) {
    this.state = state;
    this.options = options;
  }

  lineIndent(position) {
    return countColumn(/^\s*/.exec(this.state.doc.lineAt(position).text)[0], this.state.tabSize);
  }
}

export function getIndentation(context, position) {
  const line = context.state.doc.lineAt(position);
  const before = line.text.slice(0, position - line.from);
  const indent = context.lineIndent(position);
  if (context.options.simulateBreak === undefined) return indent;
  if (/:\s*(#.*)?$/.test(before)) return indent + getIndentUnit(context.state);
  if (/^\s*(return|pass|break|continue|raise)\b/.test(before)) return Math.max(0, indent - getIndentUnit(context.state));
  return indent;
}
