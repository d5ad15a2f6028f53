// A worker beside the page, started when the first cell has run: it makes what kept.js keeps, and ends. No reader's code
// runs in it, so what a page does to its Python never reaches the next page.
import { loadPyodide } from "../pyodide/pyodide.mjs";
import { keep } from "./kept.js";
import { fetched, options, unpackCourse } from "./files.js";

async function make() {
  const versions = await (await fetched("wheel.json")).json();
  const python = await loadPyodide({ ...options(), _makeSnapshot: true });
  python.FS.writeFile("/home/pyodide/keep.py", await (await fetched("keep.py")).text());
  python.runPython("import keep; keep.import_standard_library(); del keep");
  const memory = python.makeMemorySnapshot();
  await python.loadPackage("numpy", { messageCallback: () => {} });
  unpackCourse(python, await (await fetched(`../wheels/${versions.wheel}`)).arrayBuffer());
  const modules = python.pyimport("keep").compiled_modules().toJs();
  await keep(versions.state, { memory, modules });
}

make().then(
  () => postMessage({ kind: "kept" }),
  (error) => postMessage({ kind: "not kept", text: String(error.message || error) }),
);
