// Where the files of Python in the browser lie, and how it is started.

export const near = (path) => new URL(path, import.meta.url).href;

// A small file of the site as it is now, never one that the browser has kept.
export async function fetched(path) {
  const answer = await fetch(near(path), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path} is missing on this site (${answer.status}).`);
  return answer;
}

export function options() {
  const indexURL = near("../pyodide/");
  const lockFileContents = fetched("../pyodide/pyodide-lock.json").then((answer) => answer.text());
  return { indexURL, packageBaseUrl: indexURL, lockFileContents, fullStdLib: false };
}

export const unpackCourse = (python, wheel) => python.unpackArchive(wheel, "wheel");
