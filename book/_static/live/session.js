// One Python for a page: a module worker that is started when it is first needed, and can be stopped at any time.

export class Stopped extends Error {}

export class Session {
  // `tell(text)` hears what is being waited for; an empty text means: ready.
  constructor(tell = () => {}) {
    this.tell = tell;
    this.worker = null;
    this.waiting = null;
    this.last = Promise.resolve();
  }

  get started() {
    return this.worker !== null;
  }

  start() {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new Error(event.message || "Python could not be started."));
    };
  }

  hear(message) {
    if (message.kind === "progress") this.tell(message.text);
    else if (message.kind === "fatal") this.fail(new Error(message.text));
    else if (this.waiting && message.id === this.waiting.id) {
      if (message.kind === "done") {
        const { resolve } = this.waiting;
        this.waiting = null;
        resolve(message);
      } else this.waiting.show(message);
    }
  }

  fail(error) {
    if (this.worker) this.worker.terminate();
    this.worker = null;
    if (this.waiting) {
      const { reject } = this.waiting;
      this.waiting = null;
      reject(error);
    }
  }

  // Send a request when those before it are done; `show` hears what it gives on the way.
  ask(request, show = () => {}) {
    const answer = this.last.then(() => {
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

  // End the worker whatever it does; the next request starts another.
  stop() {
    this.fail(new Stopped("Stopped."));
  }
}
