// What the theme leaves out for those who read by ear or by keyboard: a name for its search, and a way to reach what scrolls.
window.addEventListener("load", () => {
  document.querySelectorAll("[role=dialog]:not([aria-label])").forEach((dialog) => dialog.setAttribute("aria-label", "Search"));
  document.querySelectorAll(".md-sidebar__scrollwrap, .md-typeset__scrollwrap, .md-typeset pre > code").forEach((scrolls) => {
    if (scrolls.scrollWidth > scrolls.clientWidth || scrolls.scrollHeight > scrolls.clientHeight) scrolls.tabIndex = 0;
  });
});
