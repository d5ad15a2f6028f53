// Python in the colors of the page: the same class names that Pygments gives the book's code, in either theme.

const KEYWORDS = new Set(
  ("and as assert async await break case class continue def del elif else except finally for from global if import in is " +
    "lambda match nonlocal not or pass raise return try while with yield").split(" "),
);
const CONSTANTS = new Set(["True", "False", "None"]);
const BUILTINS = new Set(
  ("abs all any bool dict enumerate filter float format getattr hasattr int isinstance len list map max min print range " +
    "repr reversed round set sorted str sum super tuple type zip").split(" "),
);

const TOKEN = new RegExp(
  [
    /(?<comment>#.*)/,
    /(?<string>[rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /(?<number>\b(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?j?)|\B\.\d[\d_]*(?:[eE][+-]?\d+)?)/,
    /(?<defined>(?<=\b(?:def|class)\s+)\w+)/,
    /(?<word>[A-Za-z_]\w*)/,
    /(?<operator>[-+*/%@=<>!&|^~]+)/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

function className(groups) {
  if (groups.comment) return "c1";
  if (groups.string) return "s2";
  if (groups.number) return "mi";
  if (groups.defined) return "nf";
  if (groups.operator) return "o";
  if (KEYWORDS.has(groups.word)) return "k";
  if (CONSTANTS.has(groups.word)) return "kc";
  if (BUILTINS.has(groups.word)) return "nb";
  return "";
}

export function highlightPython({ Decoration, EditorView, ViewPlugin }) {
  const marks = new Map();
  const mark = (name) => marks.get(name) || marks.set(name, Decoration.mark({ class: name })).get(name);
  const colored = (view) => {
    const found = [];
    for (const token of view.state.doc.toString().matchAll(TOKEN)) {
      const name = className(token.groups);
      if (name) found.push(mark(name).range(token.index, token.index + token[0].length));
    }
    return Decoration.set(found);
  };
  return ViewPlugin.define(
    (view) => ({
      decorations: colored(view),
      update(change) {
        if (change.docChanged) this.decorations = colored(change.view);
      },
    }),
    { decorations: (plugin) => plugin.decorations },
  );
}
