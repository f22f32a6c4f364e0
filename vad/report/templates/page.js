"use strict";

// The data of the page, and the elements that pages share.

const shown = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("main");

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function heading(text) {
  return element("h2", { textContent: text });
}

function explanation(text) {
  return element("p", { textContent: text });
}

// Figures side by side, each [value, name].
function tiles(figures) {
  return element("div", { className: "tiles" }, ...figures.map(([value, name]) => element(
    "div", { className: "tile" }, element("b", { textContent: value }), element("span", { textContent: name }),
  )));
}

// A table of texts in a frame that scrolls.
function framedTable(heads, rows, className = "") {
  const row = (kind, texts) => element("tr", {}, ...texts.map((text) => element(kind, { textContent: text })));
  const head = element("thead", {}, row("th", heads));
  const body = element("tbody", {}, ...rows.map((texts) => row("td", texts)));
  return element("div", { className: "scroll tall framed" }, element("table", { className }, head, body));
}
