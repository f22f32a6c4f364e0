"use strict";

// The page of `vad inspect`.

function pictureFigure({ title, caption, address }) {
  const image = element("img", { src: address, alt: title });
  return element(
    "figure", { className: "picture" },
    element("div", { className: "scroll", tabIndex: 0 }, image), // wider than a phone: the arrow keys move it
    element("figcaption", { textContent: caption }),
  );
}

page.append(element("h1", { textContent: shown.title }));
for (const { title, findings, pictures } of shown.sections) {
  page.append(heading(title), element("ul", {}, ...findings.map((text) => element("li", { textContent: text }))));
  for (const picture of pictures) page.append(element("h3", { textContent: picture.title }), pictureFigure(picture));
}
