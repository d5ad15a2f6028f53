// Python in a worker: the runtime on board, NumPy, the course's own package, and runner.py, which runs cells.
import { loadPyodide } from "../pyodide/pyodide.mjs";
import { fetched, options, unpackCourse } from "./files.js";
import { kept } from "./kept.js";

if (location.protocol === "blob:") delete self.Worker; // confined: another worker would be free of the page's policy

const say = (message) => postMessage(message);
const loaded = new Set();

// Take what the browser has kept, if it has; from then on no code that runs here can put something else there.
async function takeKept(state) {
  const found = await kept(state);
  delete WorkerGlobalScope.prototype.caches;
  return found;
}

async function loadKept({ memory, modules }) {
  const python = await loadPyodide({ ...options(), _loadSnapshot: Promise.resolve(memory) });
  python.runPython("import random; random.seed(); del random"); // else each page would draw the same numbers
  await python.loadPackage("numpy", { messageCallback: () => {} });
  python.unpackArchive(modules, "zip", { extractDir: "/" });
  return python;
}

// Python with NumPy, and whether it started from what the browser has kept.
async function load(found) {
  if (found) {
    try {
      return [await loadKept(found), true];
    } catch (error) {
      console.info("What was kept of Python cannot be used; it is made again.", error);
    }
  }
  say({ kind: "progress", text: "Starting Python (15 MB, once)" });
  return [await loadPyodide({ ...options(), packages: ["numpy"] }), false];
}

async function start() {
  say({ kind: "progress", text: "Starting Python" });
  const code = fetched("runner.py").then((answer) => answer.text());
  const versions = await (await fetched("wheel.json")).json();
  const wheel = fetched(`../wheels/${versions.wheel}`).then((answer) => answer.arrayBuffer());
  const [python, isKept] = await load(await takeKept(versions.state));
  unpackCourse(python, await wheel);
  python.FS.writeFile("/home/pyodide/runner.py", await code);
  const runner = python.pyimport("runner");
  say({ kind: "started", isKept });
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
