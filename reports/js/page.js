// What the page does at start: tables that sort, then the sliders.

function makeSortable(table) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, column, head));
  });
}

function sortBy(table, column, head) {
  const up = head.getAttribute("aria-sort") === "descending";
  const key = (row) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)], order = typeof x === "string" ? x.localeCompare(y) : x - y;
    return up ? order : -order;
  });
  table.querySelectorAll("[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  table.tBodies[0].append(...rows);
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
const root = document.getElementById("desk");
// For tests and for readers who check a number in the console.
window.miForecast = {
  FAMILIES, smoothedWeights, quantilesAt, answerOf, toToml, fromFragment,
  desk: root && document.getElementById("slider-data") ? start(root) : null,
};
if (window.miForecast.desk) window.miForecast.set = (state) => setState(window.miForecast.desk, state);
