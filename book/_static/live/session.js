// One Python for a page: a module worker that is started when it is first needed, and can be stopped at any time.

export class Stopped extends Error {}

const QUIET = 4000; // milliseconds without a run, after which the browser may keep what the next page starts from

// What the page's content security policy allows a confined worker: this site alone. A worker made from a blob inherits
// the policy of its page; one loaded by its address does not, so worker.js takes from a confined one how to make others.
const HERE = "'self' blob:";
const CONFINED = `connect-src 'self'; worker-src ${HERE}; script-src ${HERE} 'unsafe-inline' 'unsafe-eval'`;

function confine() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = CONFINED;
  document.head.append(policy);
}

// The worker's address; that of a confined one is a blob that imports the same script.
function addressOf(confined) {
  const script = new URL("worker.js", import.meta.url).href;
  if (!confined) return script;
  return URL.createObjectURL(new Blob([`import ${JSON.stringify(script)};`], { type: "text/javascript" }));
}

export class Session {
  // `tell(text)` hears what is being waited for; an empty text means: ready. Of a confined session nothing that runs in
  // it, Python or not, reaches another host.
  constructor(tell = () => {}, { confined = false } = {}) {
    this.tell = tell;
    this.worker = null;
    this.waiting = null;
    this.turn = 0;
    this.last = Promise.resolve();
    if (confined) confine();
    this.address = addressOf(confined);
  }

  start() {
    this.ready = false;
    this.worker = new Worker(this.address, { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new Error(event.message || "its files cannot be loaded."));
    };
  }

  hear(message) {
    if (message.kind === "progress") {
      this.ready = this.ready || !message.text;
      this.tell(message.text);
    } else if (message.kind === "started") this.isKept = message.isKept;
    else if (message.kind === "fatal") this.fail(new Error(message.text));
    else if (this.waiting && message.id === this.waiting.id) {
      if (message.kind === "done") {
        const { resolve } = this.waiting;
        this.waiting = null;
        resolve(message);
        this.keepLater();
      } else this.waiting.show(message);
    }
  }

  // Once a page, when nothing runs, have another worker make what the next page starts from (keeper.js).
  keepLater() {
    clearTimeout(this.quiet);
    if (this.isKept || this.keeper || !globalThis.caches) return;
    this.quiet = setTimeout(() => this.waiting || this.keep(), QUIET);
  }

  keep() {
    this.keeper = new Worker(new URL("keeper.js", import.meta.url), { type: "module" });
    const end = () => this.keeper.terminate();
    this.keeper.onmessage = ({ data }) => {
      this.isKept = data.kind === "kept";
      if (!this.isKept) console.info(`Nothing is kept for the next page: ${data.text}`);
      end();
    };
    this.keeper.onerror = (event) => (event.preventDefault(), end());
  }

  fail(error) {
    if (this.worker) this.worker.terminate();
    this.worker = null;
    error.begun = this.ready;
    if (this.waiting) {
      const { reject } = this.waiting;
      this.waiting = null;
      reject(error);
    }
  }

  // Send a request when those before it are done; `show` hears what it gives on the way.
  ask(request, show = () => {}) {
    const { turn } = this;
    const answer = this.last.then(() => {
      if (turn !== this.turn) throw new Stopped("Stopped.");
      if (!this.worker) this.start();
      const id = (this.count = (this.count || 0) + 1);
      return new Promise((resolve, reject) => {
        this.waiting = { id, show, resolve, reject };
        this.worker.postMessage({ ...request, id });
      });
    });
    this.last = answer.catch(() => {});
    return answer;
  }

  // End the worker whatever it does, and all that waits for it; the next request starts another.
  stop() {
    this.turn += 1;
    this.fail(new Stopped("Stopped."));
  }
}

// What a reader is told of a run that broke off without being stopped.
export function brokeOff(error) {
  const reason = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  return error.begun ? `Python broke off: ${reason}` : `Python could not be started: ${reason}`;
}
