// Begin only where cells can run: a server (no browser allows module workers from a file), modules, WebAssembly.
(function () {
  "use strict";
  const facts = document.getElementById("bn-cells");
  const clinic = document.getElementById("bn-clinic");
  if (!facts && !clinic) return;
  const here = document.currentScript.src;

  function note(text) {
    const line = document.createElement("p");
    line.className = "bn-live-note";
    line.textContent = text;
    const heading = document.querySelector("article h1");
    if (heading) heading.after(line);
  }

  if (location.protocol === "file:") {
    note("Read from a web server, this page can also run its code: type make serve, or open the course's site.");
  } else if (!("noModule" in HTMLScriptElement.prototype) || !window.Worker || !window.WebAssembly) {
    note("A newer browser can also run the code on this page.");
  } else {
    const missing = () => note("This page cannot run its code now: a file is missing. Reload the page to try again.");
    if (facts) import(new URL("page.js", here)).then((page) => page.start(JSON.parse(facts.textContent)), missing);
    if (clinic) import(new URL("clinic.js", here)).then((page) => page.start(clinic), missing);
  }
})();
