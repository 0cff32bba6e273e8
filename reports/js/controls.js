// The section of sliders: reads them, answers, paints. The state is {belief: {dist, values}}.

const PLACES = {
  logit: [logit, logistic], log: [Math.log, Math.exp], real: [(x) => x, (x) => x],
};
const SIX = (x) => Number(x.toPrecision(6));

// Where a slider runs: the stated place in the middle, far enough that a view may differ.
function rangeOf(belief) {
  const family = FAMILIES[belief.dist], stated = family.place(belief.values);
  if (family.scale === "logit") return [logit(0.002), logit(0.998)];
  const spread = belief.values[1], middle = PLACES[family.scale][0](stated);
  const reach = belief.dist === "Gamma" ? 3 : 4 * spread;
  return [middle - reach, middle + reach];
}

function makeDesk(root, data) {
  const model = makeModel(data);
  const desk = { root, data, model, state: {}, stated: answerOf(model, {}), rows: {}, ms: 0 };
  for (const belief of data.beliefs) {
    const row = root.querySelector(`[data-belief="${belief.name}"]`);
    if (!row || !FAMILIES[belief.dist]) continue;
    const [low, high] = rangeOf(belief);
    const [place, width] = row.querySelectorAll("input");
    desk.rows[belief.name] = { belief, row, place, width, low, high };
    for (const input of [place, width]) input.addEventListener("input", () => moved(desk, belief.name, input));
  }
  return desk;
}

function moved(desk, name, input) {
  const { belief, place, width, low, high } = desk.rows[name];
  const family = FAMILIES[belief.dist], back = PLACES[family.scale][1];
  const now = desk.state[name]?.values ?? belief.values;
  const at = input === place ? back(low + ((high - low) * place.value) / 1000) : family.place(now);
  const wide = input === width ? 2 ** (width.value / 100) : family.width(belief.values, now);
  desk.state[name] = { dist: belief.dist, values: family.moved(belief.values, at, wide).map(SIX) };
  schedule(desk);
}

let waiting = false;
function schedule(desk) {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    refresh(desk);
    clearTimeout(desk.settling);
    desk.settling = setTimeout(() => settle(desk), SETTLED);
  });
}

const SETTLED = 150; // ms without a move after which the address and the file follow

// Put a whole state in place: a preset, a link, or nothing at all.
function setState(desk, state) {
  desk.state = state;
  refresh(desk);
  settle(desk);
}

function refresh(desk) {
  const start = performance.now();
  for (const row of Object.values(desk.rows)) paintRow(desk, row);
  desk.answer = orStored(desk, answerOf(desk.model, desk.state));
  paintAnswer(desk);
  desk.ms = performance.now() - start;
}

// Put the state into the priors file and the address.
function settle(desk) {
  clearTimeout(desk.settling);
  const text = toToml(desk.data, desk.state, new Date().toISOString().slice(0, 10));
  desk.root.querySelector("#toml").value = text;
  desk.root.querySelector("#toml-file").href = `data:application/toml;charset=utf-8,${encodeURIComponent(text)}`;
  const fragment = toFragment(desk.data, desk.state);
  if (fragment !== location.hash && (fragment || location.hash.startsWith(START))) {
    history.replaceState(null, "", fragment || "#beliefs");
  }
}

// The shipped view whose beliefs a state is, and no other.
function viewOf(data, state) {
  const same = (a, b) => a && a.values.every((v, i) => v === b.values[i]);
  const moved = (view) => Object.keys(data.presets[view]);
  const named = Object.keys(state).length;
  return Object.keys(data.presets).find((view) => moved(view).length === named &&
    moved(view).every((name) => same(state[name], data.presets[view][name])));
}

// Where a whole view cannot be answered from draws, the answer that the run has of it.
function orStored(desk, answer) {
  const view = answer.good ? undefined : viewOf(desk.data, desk.state);
  const stored = view && desk.data.answers?.[view];
  return stored ? { ...answer, good: true, found: stored.found, curves: null, stored: { view, how: stored.how } } : answer;
}

function paintRow(desk, { belief, row, place, width, low, high }) {
  const family = FAMILIES[belief.dist], now = desk.state[belief.name]?.values ?? belief.values;
  if (row.dataset.shown === String(now)) return;
  row.dataset.shown = String(now);
  const forward = PLACES[family.scale][0], at = forward(family.place(now));
  place.value = Math.round((1000 * (at - low)) / (high - low));
  width.value = Math.round(100 * Math.log2(family.width(belief.values, now)));
  const [lower, median, upper] = family.quantiles([0.05, 0.5, 0.95], now);
  const told = `${valueIn(median, belief.unit)} (90%: ${valueIn(lower, belief.unit)} to ${valueIn(upper, belief.unit)})`;
  row.querySelector("output").textContent = told;
  place.setAttribute("aria-valuetext", told);
  width.setAttribute("aria-valuetext", `${number(family.width(belief.values, now))} times the stated spread`);
  row.classList.toggle("changed", differs(belief, desk.state[belief.name]));
}

function spread(one, good) {
  return good ? `${chance(one.mean)} (${chance(one.lower)} to ${chance(one.upper)})` : "withheld";
}

function paintAnswer(desk) {
  const { root, answer, stated, data } = desk, { found, good, curves } = answer;
  for (const cell of root.querySelectorAll("[data-quantity]")) {
    const one = found[cell.dataset.quantity];
    cell.textContent = "lower" in one ? spread(one, good) : good ? chance(one.mean) : "withheld";
  }
  root.querySelector("#strict-now").textContent = good ? ofHundred(found.alignment_relevant.mean) : "withheld";
  root.querySelector("#answer-how").textContent = howTold(desk);
  root.classList.toggle("withheld", !good);
  if (good) {
    paintSplit(root.querySelector("#picture-split"), found);
    paintStrict(root.querySelector("#picture-strict"), found.alignment_relevant.mean);
  }
  const after = (name) => (good && curves ? curves[name] : null), before = stated.curves;
  paintLines(root.querySelector("#curve-cohort"), data.cohorts,
    [{ name: "strictly relevant, by year of the work", before: before.relevant, after: after("relevant") }]);
  paintLines(root.querySelector("#curve-use"), data.cohorts,
    [{ name: "used for alignment", before: before.used, after: after("used") },
      { name: "used for capabilities", before: before.capabilities, after: after("capabilities") }]);
  paintLines(root.querySelector("#curve-level"), data.years,
    [{ name: "level 6 established", before: before.level6, after: after("level6") },
      { name: "level 7 established", before: before.level7, after: after("level7") }]);
}

const ORIGINS = {
  run: "those of a finished run of it", refit: "those of a fit of it",
  "moment-matched": "this run's, moved to its beliefs and weighed",
};

function howTold(desk) {
  const { answer, data, state } = desk, { pareto_k: most } = data.rule, { base } = answer;
  if (!data.beliefs.some((b) => differs(b, state[b.name]))) return "As stated: nothing is moved.";
  if (answer.stored) return `The ${answer.stored.view}'s answer as this run has it (${answer.stored.how}). Its draws are ` +
    "not in this page: curves are withheld, and so is what you move from here.";
  const mcse = 100 * answer.found.alignment_relevant.mcse;
  const error = `Monte Carlo error of the strict mean: ${digitsOf(mcse, 1)} points of a hundred.`;
  const from = base.view ? `From draws of the ${base.view}'s own (${ORIGINS[base.how]}), which lie nearer than this run's. ` : "";
  const drawn = base.view ? `${number(base.n)} of ${number(base.drawn)} draws` : `the same ${number(base.n)} draws under the moved beliefs`;
  if (answer.how === "exact") return `${from}Exact: ${drawn}. ${error}`;
  const k = Number.isFinite(answer.k) ? answer.k.toFixed(2) : "infinite";
  const weights = `Pareto k ${k}, worth ${number(answer.worth)} of ${base.n} draws`;
  if (answer.good) return `${from}Reweighted: ${weights}. ${error}`;
  return `Withheld: these beliefs lie too far from this run's draws (${weights}; needed: k at most ${most} and ` +
    `${number(Math.min(data.rule.ess, data.rule.share * data.n))} draws). Save the file below and run: forecast run ${fileName(desk)}`;
}

const fileName = (desk) => `${desk.data.toml.name}.toml`;

function start(root) {
  const data = JSON.parse(document.getElementById("slider-data").textContent);
  const desk = makeDesk(root, data);
  const click = (css, act) => root.querySelectorAll(css).forEach((b) => b.addEventListener("click", () => act(b)));
  click("[data-preset]", (button) => setState(desk, structuredClone(data.presets[button.dataset.preset])));
  click("#reset", () => setState(desk, {}));
  click("#copy-toml", (button) => { settle(desk); copy(root.querySelector("#toml"), button); });
  click("#toml-file", () => settle(desk));
  root.querySelector("#toml-file").download = fileName(desk);
  const read = () => {
    const { state, refused } = fromFragment(data, location.hash);
    if (!location.hash.startsWith(START)) return setState(desk, {});
    setState(desk, state);
    if (refused) root.querySelector("#answer-how").textContent += ` The link names ${refused} beliefs that this page does not know.`;
    root.scrollIntoView();
  };
  addEventListener("hashchange", () => { if (location.hash.startsWith(START)) read(); });
  root.hidden = false;
  read();
  warmUp(desk.model);
  return desk;
}

function copy(area, button) {
  area.select();
  const told = (text) => { button.textContent = text; };
  const wrote = navigator.clipboard?.writeText(area.value);
  if (wrote) wrote.then(() => told("Copied"), () => told("Press Ctrl+C"));
  else told("Press Ctrl+C");
}
