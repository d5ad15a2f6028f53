// A formula in a line that is wider than the line scrolls by itself; what scrolls can be scrolled by keyboard too.
(function () {
  "use strict";
  function line(formula) {
    let box = formula.parentElement;
    while (box && getComputedStyle(box).display.startsWith("inline")) {
      box = box.parentElement;
    }
    return box;
  }
  function lines() {
    for (const formula of document.querySelectorAll("mjx-container:not([display=true])")) {
      formula.classList.remove("bn-wide");
      const box = line(formula);
      // in a table or a figure it is the table that scrolls
      if (box && !formula.closest("table") && formula.scrollWidth > 0) {
        const room = box.clientWidth - parseFloat(getComputedStyle(box).paddingLeft) - parseFloat(getComputedStyle(box).paddingRight);
        const math = formula.querySelector("mjx-math");
        formula.classList.toggle("bn-wide", Boolean(math) && math.getBoundingClientRect().width > room + 0.5);
      }
    }
  }
  function reach() {
    lines();
    const wide = "div.math, mjx-container[display=true], mjx-container.bn-wide, .bn-figure, .bd-content table, .bd-content pre";
    for (const box of document.querySelectorAll(wide)) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
      } else if (box.getAttribute("tabindex") === "0") {
        box.removeAttribute("tabindex");
      }
    }
  }
  window.addEventListener("load", function () {
    const maths = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    Promise.resolve(maths).then(reach);
  });
  window.addEventListener("resize", reach);
})();

// Paper is white: a page that is read in the dark is printed in the light.
(function () {
  "use strict";
  const page = document.documentElement;
  let theme = null;
  window.matchMedia("print").addEventListener("change", function (paper) {
    if (paper.matches) {
      theme = page.dataset.theme;
      page.dataset.theme = "light";
    } else if (theme) {
      page.dataset.theme = theme;
    }
  });
})();
