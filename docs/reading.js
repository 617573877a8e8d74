// For screen readers and keyboards: the theme gives its search dialog no name, and areas that scroll no focus.
window.addEventListener("load", () => {
  document.querySelectorAll("[role=dialog]:not([aria-label])").forEach((dialog) => dialog.setAttribute("aria-label", "Search"));
  document.querySelectorAll(".md-sidebar__scrollwrap, .md-typeset__scrollwrap, .md-typeset pre > code").forEach((scrolls) => {
    if (scrolls.scrollWidth > scrolls.clientWidth || scrolls.scrollHeight > scrolls.clientHeight) scrolls.tabIndex = 0;
  });
});
