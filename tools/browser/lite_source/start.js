// What the notebooks of this site need besides JupyterLite: nothing stale, and no run that is lost while Python starts.
(function () {
  "use strict";

  // A browser may keep the lists of a site for days without asking; here it asks each time whether they are the same.
  const fetched = window.fetch;
  window.fetch = (what, how) => fetched(what, { cache: "no-cache", ...how });

  const RUNS = /^(notebook|runmenu):.*run/;
  const TOLD = "Python is starting. What you run waits for it.";

  const kernelOf = (context) => context && context.session && context.session.kernel;
  const isReady = (kernel) => Boolean(kernel) && !["unknown", "starting"].includes(kernel.status);

  // Until the kernel answers; of one that cannot be started Jupyter tells itself.
  async function ready(context) {
    try {
      await context.ready;
      if (!isReady(kernelOf(context))) await kernelOf(context).info;
    } catch {
      // then the run is Jupyter's to refuse
    }
  }

  // Jupyter forgets what is run before there is a kernel.
  function wait(app) {
    const { commands } = app;
    const execute = commands.execute.bind(commands);
    let waiting = false; // whether all cells are to be run
    let notice = null;
    commands.execute = async (id, args) => {
      const context = app.shell.currentWidget && app.shell.currentWidget.sessionContext;
      if (!RUNS.test(id) || !context || isReady(kernelOf(context))) return execute(id, args);
      const whole = /run-all(-cells)?$/.test(id);
      if (whole && waiting) return undefined; // pressed again meanwhile
      waiting = waiting || whole;
      if (!notice) notice = execute("apputils:notify", { message: TOLD, type: "info", options: { autoClose: false } });
      await ready(context);
      if (notice) notice.then((shown) => execute("apputils:dismiss-notification", { id: shown }));
      notice = null;
      if (whole) waiting = false;
      return execute(id, args);
    };
  }

  let app;
  Object.defineProperty(window, "jupyterapp", {
    configurable: true,
    get: () => app,
    set(made) {
      app = made;
      wait(app);
    },
  });
})();
