// The headline from embedded draws: what `forecast.inference.evaluate.evaluate` does, in the page.
//   strong = (A0 leak + A1 on_target q) [s c6 n6 + (1 - s) c7 n7]
// with A the alignment use of untracked and tracked works, c the chance that the field's ceiling
// allows a level, and n the chance of enough works there. See forecast/runs/sliders.py.
// Loops over draws run on typed arrays and call nothing, so that a move takes a few milliseconds.

const MADE_FROM = ["gate_tracked", "leak_untracked", "on_target", "value_constancy", "stop_6", "stop_7"];
const FIXED = ["alignment_used", "capabilities_relevant", "alignment_used_by_others",
  "capabilities_used_by_others", "capabilities_first", "alignment_only", "both", "capabilities_only", "neither"];

function decoded(held) {
  const text = atob(held.draws), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const all = new Float32Array(bytes.buffer), columns = {};
  held.columns.forEach((name, i) => {
    columns[name] = new Float64Array(all.subarray(i * held.n, (i + 1) * held.n));
  });
  return columns;
}

// Draws of one posterior, with the numbers of the beliefs that they are draws of.
function makeBase(data, held, view) {
  const { n, ess, how } = held, columns = decoded(held), orders = {};
  const orderOf = (name) => orders[name] ??= orderedPlaces(columns[name]);
  const stated = Object.fromEntries(data.beliefs.map((b) =>
    [b.name, view ? { ...b, values: held.values[b.name] } : b]));
  return { data, columns, n, drawn: held.drawn, ess, how, view, orderOf, stated, held: {}, before: {}, penalty: null };
}

// An answerer of one page: the run's draws, and those of views that they cannot be weighed to.
function makeModel(data) {
  const main = makeBase(data, data, null);
  return { data, n: data.n, main, stated: main.stated, held: data.bases ?? [], bases: null };
}

// The draws of views, decoded when first needed.
const basesOf = (model) => model.bases ??= model.held.map((one) => makeBase(model.data, one, one.view));

const differs = (belief, now) =>
  now !== undefined && (now.dist !== belief.dist || now.values.some((v, i) => v !== belief.values[i]));

// What a state says of a belief; what it does not name is as this run states it.
const nowOf = (base, state, name) => state[name] ?? base.data.named[name];

// Draws of a belief under a state: moved exactly where its uniforms are here, else as they are.
function drawsOf(base, name, state) {
  const belief = base.stated[name], now = nowOf(base, state, name);
  if (!belief.exact || !differs(belief, now)) return base.columns[`x ${name}`];
  const key = `${now.dist} ${now.values}`, held = base.held[name];
  if (held && held.key === key) return held.draws;
  const draws = quantilesAt(now.dist, now.values, base.columns[`u ${name}`], base.orderOf(`u ${name}`));
  base.held[name] = { key, draws };
  return draws;
}

// Log weights of forecasts by others, which read the ceilings (models/outcomes/experts.py).
function penalty(base, stop6, stop7) {
  const total = new Float64Array(base.n);
  base.data.experts.forEach((expert, e) => {
    const enough = base.columns[`expert ${e}`], { level, scale, bound, weight } = expert, at = expert.logit;
    for (let i = 0; i < total.length; i++) {
      let open = 1;
      if (level >= 6) open *= 1 - stop6[i];
      if (level >= 7) open *= 1 - stop7[i];
      const f = Math.min(Math.max(open * enough[i], 1e-3), 1 - 1e-3);
      let z = (Math.log(f) - Math.log1p(-f) - at) / scale;
      if (bound) z = Math.min(z, 0);
      total[i] -= 0.5 * weight * z * z;
    }
  });
  return total;
}

// Log density of a belief at its draws under the numbers that they are draws of; held.
const before = (base, belief) => base.before[belief.name] ??=
  FAMILIES[belief.dist].kernel(belief.values, base.columns[`x ${belief.name}`]);

function logRatios(base, state) {
  const own = base.columns["log weight"], total = own ? own.slice() : new Float64Array(base.n);
  for (const belief of Object.values(base.stated)) {
    const now = nowOf(base, state, belief.name);
    if (belief.exact || !differs(belief, now)) continue;
    const after = FAMILIES[now.dist].kernel(now.values, base.columns[`x ${belief.name}`]);
    const old = before(base, belief);
    for (let i = 0; i < total.length; i++) total[i] += after[i] - old[i];
  }
  const moved = ["stop_6", "stop_7"].some((b) => differs(base.stated[b], nowOf(base, state, b)));
  if (base.data.experts.length && moved) {
    const old = base.penalty ??= penalty(base, base.columns["x stop_6"], base.columns["x stop_7"]);
    const after = penalty(base, drawsOf(base, "stop_6", state), drawsOf(base, "stop_7", state));
    for (let i = 0; i < total.length; i++) total[i] += after[i] - old[i];
  }
  return total;
}

// Weights of a base's draws under a state; `good` false where they are not to be trusted.
function weigh(base, state) {
  const { weights, k, flat } = smoothedWeights(logRatios(base, state));
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * weights[i];
  const { pareto_k, ess, share } = base.data.rule, worth = 1 / sum;
  return { base, weights, k, flat, worth, good: k <= pareto_k && worth >= Math.min(ess, share * base.n) };
}

// The run's draws while they are worth a tenth of their number, else those that are worth most.
function nearest(model, state) {
  const own = weigh(model.main, state);
  if (own.good && own.worth >= model.data.rule.share * model.n) return own;
  const good = [own, ...basesOf(model).map((base) => weigh(base, state))].filter((one) => one.good);
  return good.reduce((best, one) => (one.worth > best.worth ? one : best), good[0] ?? own);
}

// Every quantity by draw; the quantities that no exact belief moves are columns as they are.
function quantitiesOf(base, x) {
  const { columns, n } = base, { cohort, horizon } = base.data, out = {};
  const a0 = columns[`alignment untracked ${cohort}`], a1 = columns[`alignment tracked ${cohort}`];
  const b0 = columns["both untracked"], b1 = columns["both tracked"], used = columns.capabilities_relevant;
  const n6 = columns[`enough 6 ${horizon}`], n7 = columns[`enough 7 ${horizon}`];
  const { stop_6, stop_7, value_constancy, on_target, gate_tracked, leak_untracked } = x;
  const [reach, gate, relevant, both, alone, cap, none] = Array.from({ length: 7 }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    const open6 = 1 - stop_6[i], open7 = open6 * (1 - stop_7[i]), s = value_constancy[i];
    reach[i] = s * open6 * n6[i] + (1 - s) * open7 * n7[i];
    gate[i] = on_target[i] * gate_tracked[i];
    relevant[i] = (a0[i] * leak_untracked[i] + a1[i] * gate[i]) * reach[i];
    both[i] = (b0[i] * leak_untracked[i] + b1[i] * gate[i]) * reach[i];
    alone[i] = relevant[i] - both[i];
    cap[i] = used[i] - both[i];
    none[i] = 1 - relevant[i] - used[i] + both[i];
  }
  for (const name of FIXED) out[name] = columns[name];
  Object.assign(out, { alignment_relevant: relevant, strict_alignment_only: alone, strict_both: both,
    strict_capabilities_only: cap, strict_neither: none });
  return { out, reach, gate };
}

// Strict relevance by cohort, and the chance of levels 6 and 7 by year: means over draws.
function curvesOf(base, x, { gate, reach, weights }) {
  const { columns, n } = base, { cohorts, years } = base.data, { leak_untracked, stop_6, stop_7 } = x;
  const [toLeak, toGate, open6, open7] = Array.from({ length: 4 }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    toLeak[i] = weights[i] * leak_untracked[i] * reach[i];
    toGate[i] = weights[i] * gate[i] * reach[i];
    open6[i] = weights[i] * (1 - stop_6[i]);
    open7[i] = open6[i] * (1 - stop_7[i]);
  }
  const by = (name, years, part) => years.map((year) => meanOf(columns[`${name} ${year}`], part));
  const add = (a, b) => a.map((v, i) => v + b[i]);
  return {
    relevant: add(by("alignment untracked", cohorts, toLeak), by("alignment tracked", cohorts, toGate)),
    used: add(by("alignment untracked", cohorts, weights), by("alignment tracked", cohorts, weights)),
    capabilities: by("capabilities", cohorts, weights),
    level6: by("enough 6", years, open6),
    level7: by("enough 7", years, open7),
  };
}

// The answer to a state {belief: {dist, values}}; `good` false where weights are not to be trusted.
function answerOf(model, state) {
  model.data.named ??= Object.fromEntries(model.data.beliefs.map((b) => [b.name, b]));
  const { base, weights, k, flat, worth, good } = nearest(model, state);
  const x = Object.fromEntries(MADE_FROM.map((name) => [name, drawsOf(base, name, state)]));
  const ess = worth * Math.min(1, base.ess / base.n);
  const { out, reach, gate } = quantitiesOf(base, x), found = {};
  for (const [name, draws] of Object.entries(out)) {
    if (name.startsWith("strict")) found[name] = { mean: meanOf(draws, weights) };
    else found[name] = summary(draws, weights, { ess, flat, order: name in base.columns ? () => base.orderOf(name) : null });
  }
  const curves = curvesOf(base, x, { gate, reach, weights }), how = flat ? "exact" : "reweighted";
  return { found, curves, k, worth, ess, good, how, base: { n: base.n, drawn: base.drawn, how: base.how, view: base.view } };
}
