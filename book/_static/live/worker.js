// Python in a worker: the runtime on board, NumPy, the course's own package, and runner.py, which runs cells.
import { loadPyodide } from "../pyodide/pyodide.mjs";

if (location.protocol === "blob:") delete self.Worker; // confined: another worker would be free of the page's policy

const say = (message) => postMessage(message);
const near = (path) => new URL(path, import.meta.url).href;
const loaded = new Set();

async function fetched(path) {
  const answer = await fetch(near(path), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path} is missing on this site (${answer.status}).`);
  return answer;
}

async function start() {
  say({ kind: "progress", text: "Starting Python (15 MB, once)" });
  const versions = fetched("wheel.json").then((answer) => answer.json());
  const code = fetched("runner.py").then((answer) => answer.text());
  const wheel = versions.then(({ wheel }) => fetched(`../wheels/${wheel}`)).then((answer) => answer.arrayBuffer());
  const indexURL = near("../pyodide/");
  const lock = fetched("../pyodide/pyodide-lock.json").then((answer) => answer.text()); // never one that was kept
  const python = await loadPyodide({
    indexURL,
    packageBaseUrl: indexURL,
    lockFileContents: lock,
    packages: ["numpy"],
    fullStdLib: false,
  });
  python.unpackArchive(await wheel, "wheel");
  python.FS.writeFile("/home/pyodide/runner.py", await code);
  const runner = python.pyimport("runner");
  return { python, runner };
}

const NAMES = { matplotlib: "Matplotlib (9 MB, once)", digits: "the digits" };

async function bring({ python, runner }, libraries) {
  for (const name of libraries) {
    if (loaded.has(name)) continue;
    say({ kind: "progress", text: `Loading ${NAMES[name] || name}` });
    await python.loadPackage(name, { messageCallback: () => {} });
    if (!(name in python.loadedPackages)) throw new Error(`${name} is missing on this site.`);
    if (name === "matplotlib") runner.style_figures();
    loaded.add(name);
  }
}

let ready = null;

onmessage = async ({ data }) => {
  try {
    ready = ready || start();
    const here = await ready;
    await bring(here, data.libraries || []);
    const isClinic = "clinic" in data; // with no text: get ready for one
    if (isClinic) here.runner.open_clinic();
    say({ kind: "progress", text: "" });
    const begin = performance.now();
    const emit = (kind, text) => say({ kind, text, id: data.id });
    const result = isClinic
      ? data.clinic && here.runner.clinic(data.clinic)
      : here.runner.run_cell(data.code, data.label || "cell", data.silent || false, emit);
    say({ kind: "done", id: data.id, ok: result !== "failed", result, ms: performance.now() - begin });
  } catch (error) {
    const lines = String(error.message || error).trim().split("\n");
    say({ kind: "fatal", text: lines[lines.length - 1] }); // of an error in Python, what it says
  }
};
