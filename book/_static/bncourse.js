// What is wider than its column can be scrolled by keyboard too.
(function () {
  "use strict";
  function reach() {
    const wide = "div.math, mjx-container[display=true], .bn-figure, .bd-content table, .bd-content pre";
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
