"use strict";

// Charts on a square from 0 to 1, as SVG.

const SVG = "http://www.w3.org/2000/svg";
const SIDE = { left: 64, top: 30, size: 300, right: 16, bottom: 48 };

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const chartX = (x) => SIDE.left + x * SIDE.size;
const chartY = (y) => SIDE.top + (1 - y) * SIDE.size;
const chartPoints = (points) => points.map(([x, y]) => `${chartX(x)},${chartY(y)}`).join(" ");

function axes(chart) {
  const { left, top, size } = SIDE;
  const parts = [];
  for (const [x, text] of chart.x.ticks) {
    parts.push(svg("line", { class: "grid", x1: chartX(x), x2: chartX(x), y1: top, y2: top + size }));
    parts.push(svg("text", { x: chartX(x), y: top + size + 18, "text-anchor": "middle" }, text));
  }
  for (const [y, text] of chart.y.ticks) {
    parts.push(svg("line", { class: "grid", x1: left, x2: left + size, y1: chartY(y), y2: chartY(y) }));
    parts.push(svg("text", { x: left - 6, y: chartY(y) + 4, "text-anchor": "end" }, text));
  }
  parts.push(svg("rect", { class: "frame", x: left, y: top, width: size, height: size }));
  parts.push(svg("text", { class: "title", x: left, y: 20 }, chart.title));
  parts.push(svg("text", { x: left + size / 2, y: top + size + 38, "text-anchor": "middle" }, chart.x.label));
  const middle = `rotate(-90 14 ${top + size / 2})`;
  parts.push(svg("text", { x: 14, y: top + size / 2, "text-anchor": "middle", transform: middle }, chart.y.label));
  return parts;
}

function drawChart(chart) {
  const width = SIDE.left + SIDE.size + SIDE.right;
  const height = SIDE.top + SIDE.size + SIDE.bottom;
  const parts = axes(chart);
  for (const [from, to, share] of chart.bars ?? []) {
    const box = { x: chartX(from) + 1, y: chartY(share), width: (to - from) * SIDE.size - 2, height: share * SIDE.size };
    parts.push(svg("rect", { class: chart.curve ? "bar behind" : "bar", ...box }));
  }
  if (chart.chance) parts.push(svg("polyline", { class: "chance", points: chartPoints(chart.chance) }));
  if (chart.curve) parts.push(svg("polyline", { class: "curve", points: chartPoints(chart.curve) }));
  if (chart.dot) {
    const [x, y, text] = chart.dot;
    const beyond = x > 0.8;
    parts.push(svg("circle", { class: "dot", cx: chartX(x), cy: chartY(y), r: 5 }));
    const place = { x: chartX(x) + (beyond ? -9 : 9), y: chartY(y) + (y > 0.9 ? 16 : -8) };
    parts.push(svg("text", { ...place, "text-anchor": beyond ? "end" : "start" }, text));
  }
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, ...parts);
  picture.setAttribute("aria-label", `${chart.title}: ${chart.caption}`);
  return element("figure", { className: "chart" }, picture, element("figcaption", { textContent: chart.caption }));
}
