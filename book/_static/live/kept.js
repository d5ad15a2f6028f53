// What a browser keeps of Python for the next page: its memory as it stands before NumPy is loaded, and the compiled
// modules of NumPy and of the course. Both belong to one state of the site, whose name is part of their address.

const STORE = "bncourse python";

const address = (state, name) => new URL(`kept/${state}/${name}`, import.meta.url).href;

// What is kept for this state of the site: two buffers, or nothing. A browser may keep nothing, or refuse to be asked.
export async function kept(state) {
  try {
    const store = await caches.open(STORE);
    const found = await Promise.all(["memory", "modules"].map((name) => store.match(address(state, name))));
    if (!found.every(Boolean)) return null;
    const [memory, modules] = await Promise.all(found.map((answer) => answer.arrayBuffer()));
    return { memory, modules };
  } catch {
    return null;
  }
}

// Keep both in the place of what was kept of any state. The memory comes last: without it nothing is used.
export async function keep(state, { memory, modules }) {
  await forget();
  const store = await caches.open(STORE);
  await store.put(address(state, "modules"), new Response(modules));
  await store.put(address(state, "memory"), new Response(memory));
}

export async function forget() {
  if (globalThis.caches) await caches.delete(STORE);
}
