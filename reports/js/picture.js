// Pictures that follow the sliders: a hundred works, and lines over years.

// Whole numbers that add up to a hundred, by largest remainder (reports/page.py).
function wholeIcons(shares) {
  const sum = shares.reduce((a, b) => a + b, 0), exact = shares.map((s) => (100 * s) / sum);
  const counts = exact.map(Math.floor), missing = 100 - counts.reduce((a, b) => a + b, 0);
  const left = exact.map((x, i) => [counts[i] - x, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const [, i] of left.slice(0, missing)) counts[i] += 1;
  return counts;
}

// Set an attribute that differs; one that does not costs no layout.
function change(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function paintSplit(figure, found) {
  const names = ["alignment_only", "both", "capabilities_only", "neither"];
  const counts = wholeIcons(names.map((name) => found[name].mean));
  const kinds = names.flatMap((name, i) => Array(counts[i]).fill(name));
  figure.querySelectorAll("rect.work").forEach((icon, i) => change(icon, "class", `work ${kinds[i]}`));
  figure.querySelector("svg").setAttribute("aria-label",
    `Of 100 works, by documented use: ${names.map((n, i) => `${n.replace("_", " ")} ${counts[i]}`).join("; ")}.`);
}

function paintStrict(figure, p) {
  figure.querySelectorAll("rect.part").forEach((icon, i) =>
    change(icon, "width", String(10 * Math.min(Math.max(100 * p - i, 0), 1))));
  figure.querySelector("svg").setAttribute("aria-label",
    `Of 100 works, strictly alignment-relevant: ${ofHundred(p)}.`);
}

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const FRAME = { width: 320, height: 150, left: 42, right: 8, top: 8, bottom: 20 };

// The parts of a picture of lines, made once: three heights, the first and last year, two lines a series.
function makeLines(svg, years, count) {
  const { width, height, left, right } = FRAME, rows = [0, 1, 2];
  const parts = {
    grid: rows.map(() => element("line", { class: "grid", x1: left, x2: width - right })),
    ticks: rows.map(() => element("text", { class: "tick", x: left - 5, "text-anchor": "end" })),
    before: Array.from({ length: count }, (_, i) => element("path", { class: `before line${i}` })),
    after: Array.from({ length: count }, (_, i) => element("path", { class: `after line${i}` })),
  };
  const ends = [years[0], years.at(-1)].map((year, i) => element("text",
    { class: "tick", x: i ? width - right : left, y: height - 5, "text-anchor": i ? "end" : "start" }, year));
  svg.replaceChildren(...parts.grid, ...parts.ticks, ...ends, ...parts.before, ...parts.after);
  return parts;
}

const drawn = new WeakMap();

// Lines of several series over years: {name, before, after}; `after` null while it is withheld.
function paintLines(svg, years, series) {
  if (!drawn.has(svg)) drawn.set(svg, makeLines(svg, years, series.length));
  const { width, height, left, right, top, bottom } = FRAME, parts = drawn.get(svg);
  const all = series.flatMap((s) => [...s.before, ...(s.after ?? [])]);
  const most = Math.max(...all, 1e-6) * 1.08, span = Math.max(years.at(-1) - years[0], 1);
  const x = (year) => left + ((year - years[0]) / span) * (width - left - right);
  const y = (p) => height - bottom - (p / most) * (height - top - bottom);
  const path = (ps) => ps.map((p, i) => `${i ? "L" : "M"}${x(years[i]).toFixed(1)},${y(p).toFixed(1)}`).join("");
  [0, most / 2.16, most / 1.08].forEach((p, i) => {
    change(parts.grid[i], "y1", y(p).toFixed(1));
    change(parts.grid[i], "y2", y(p).toFixed(1));
    change(parts.ticks[i], "y", (y(p) + 3).toFixed(1));
    parts.ticks[i].textContent = p === 0 ? "0" : chance(p);
  });
  series.forEach((s, i) => {
    change(parts.before[i], "d", path(s.before));
    change(parts.after[i], "d", s.after ? path(s.after) : "");
  });
  const last = (ps) => chance(ps.at(-1));
  svg.setAttribute("aria-label", series.map((s) =>
    `${s.name}: ${chance((s.after ?? s.before)[0])} in ${years[0]}, ${last(s.after ?? s.before)} in ${years.at(-1)}` +
    `${s.after ? ` (stated: ${last(s.before)})` : " (as stated)"}`).join("; "));
}
