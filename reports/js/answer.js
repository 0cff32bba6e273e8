// The headline from embedded draws: what `forecast.engine.evaluate` does, in the page.
//   strong = (A0 leak + A1 on_target q) [s c6 n6 + (1 - s) c7 n7]
// with A the alignment use of untracked and tracked works, c the chance that the field's ceiling
// allows a level, and n the chance of enough works there. See forecast/sliders.py.

const MADE_FROM = ["gate_tracked", "leak_untracked", "on_target", "value_constancy", "stop_6", "stop_7"];

function decoded(data) {
  const text = atob(data.draws), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const all = new Float32Array(bytes.buffer), columns = {};
  data.columns.forEach((name, i) => { columns[name] = all.subarray(i * data.n, (i + 1) * data.n); });
  return columns;
}

// Places of the entries from the least up.
function orderedPlaces(x) {
  const places = new Array(x.length);
  for (let i = 0; i < x.length; i++) places[i] = i;
  return places.sort((i, j) => x[i] - x[j]);
}

// An answerer of one page: holds the draws, and what does not change from move to move.
function makeModel(data) {
  const columns = decoded(data), n = data.n, orders = {};
  const orderOf = (name) => orders[name] ??= orderedPlaces(columns[name]);
  const stated = Object.fromEntries(data.beliefs.map((b) => [b.name, b]));
  return { data, columns, n, orderOf, stated, held: {}, base: null };
}

const differs = (belief, now) =>
  now !== undefined && (now.dist !== belief.dist || now.values.some((v, i) => v !== belief.values[i]));

// Draws of a belief under a state: moved exactly where its uniforms are here, else as they are.
function drawsOf(model, name, state) {
  const belief = model.stated[name], now = state[name];
  if (!belief.exact || !differs(belief, now)) return model.columns[`x ${name}`];
  const key = `${now.dist} ${now.values}`, held = model.held[name];
  if (held && held.key === key) return held.draws;
  const draws = quantilesAt(now.dist, now.values, model.columns[`u ${name}`], model.orderOf(`u ${name}`));
  model.held[name] = { key, draws };
  return draws;
}

// Log weights of forecasts by others, which read the ceilings (models/experts.py).
function penalty(model, x) {
  const total = new Float64Array(model.n);
  model.data.experts.forEach((expert, e) => {
    const enough = model.columns[`expert ${e}`];
    for (let i = 0; i < model.n; i++) {
      let open = 1;
      if (expert.level >= 6) open *= 1 - x.stop_6[i];
      if (expert.level >= 7) open *= 1 - x.stop_7[i];
      const f = Math.min(Math.max(open * enough[i], 1e-3), 1 - 1e-3);
      let z = (logit(f) - expert.logit) / expert.scale;
      if (expert.bound) z = Math.min(z, 0);
      total[i] -= 0.5 * expert.weight * z * z;
    }
  });
  return total;
}

function logRatios(model, state, x) {
  const total = new Float64Array(model.n);
  for (const belief of model.data.beliefs) {
    if (belief.exact || !differs(belief, state[belief.name])) continue;
    const draws = model.columns[`x ${belief.name}`], now = state[belief.name];
    const after = FAMILIES[now.dist].kernel(now.values);
    const before = FAMILIES[belief.dist].kernel(belief.values);
    for (let i = 0; i < model.n; i++) total[i] += after(draws[i]) - before(draws[i]);
  }
  if (model.data.experts.length && ["stop_6", "stop_7"].some((b) => differs(model.stated[b], state[b]))) {
    model.base ??= penalty(model, Object.fromEntries(
      ["stop_6", "stop_7"].map((b) => [b, model.columns[`x ${b}`]])));
    const after = penalty(model, x);
    for (let i = 0; i < model.n; i++) total[i] += after[i] - model.base[i];
  }
  return total;
}

// Every quantity by draw; the quantities that no exact belief moves are columns as they are.
function quantitiesOf(model, x) {
  const { columns, n } = model, { cohort, horizon } = model.data, out = {};
  const a0 = columns[`alignment untracked ${cohort}`], a1 = columns[`alignment tracked ${cohort}`];
  const b0 = columns["both untracked"], b1 = columns["both tracked"];
  const n6 = columns[`enough 6 ${horizon}`], n7 = columns[`enough 7 ${horizon}`];
  const reach = new Float64Array(n), gate = new Float64Array(n);
  const relevant = new Float64Array(n), both = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const open6 = 1 - x.stop_6[i], open7 = open6 * (1 - x.stop_7[i]), s = x.value_constancy[i];
    reach[i] = s * open6 * n6[i] + (1 - s) * open7 * n7[i];
    gate[i] = x.on_target[i] * x.gate_tracked[i];
    relevant[i] = (a0[i] * x.leak_untracked[i] + a1[i] * gate[i]) * reach[i];
    both[i] = (b0[i] * x.leak_untracked[i] + b1[i] * gate[i]) * reach[i];
  }
  const from = (make) => {
    const made = new Float64Array(n);
    for (let i = 0; i < n; i++) made[i] = make(i);
    return made;
  };
  const used = columns.capabilities_relevant;
  for (const name of ["alignment_used", "capabilities_relevant", "alignment_used_by_others",
    "capabilities_used_by_others", "capabilities_first", "alignment_only", "both", "capabilities_only",
    "neither"]) out[name] = columns[name];
  out.alignment_relevant = relevant;
  out.strict_alignment_only = from((i) => relevant[i] - both[i]);
  out.strict_both = both;
  out.strict_capabilities_only = from((i) => used[i] - both[i]);
  out.strict_neither = from((i) => 1 - relevant[i] - used[i] + both[i]);
  return { out, reach, gate };
}

function meanOf(x, weights) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += weights[i] * x[i];
  return sum;
}

// Quantiles of weighted draws; with equal weights those of NumPy's default.
function weightedQuantiles(x, weights, probabilities, order) {
  order ??= orderedPlaces(x);
  const whole = 1 - weights[order[order.length - 1]], out = [];
  let sum = 0, at = 0, before = null;
  for (const place of order) {
    const p = sum / whole;
    while (at < probabilities.length && p >= probabilities[at] - 1e-12) {
      const share = before && p > before.p ? (probabilities[at] - before.p) / (p - before.p) : 1;
      out.push(before ? before.x + share * (x[place] - before.x) : x[place]);
      at++;
    }
    before = { p, x: x[place] };
    sum += weights[place];
  }
  while (out.length < probabilities.length) out.push(before.x);
  return out;
}

// Mean, the ends of the 89% equal-tailed interval, and the Monte Carlo error of the mean.
function summary(x, weights, ess, order) {
  const mean = meanOf(x, weights), [lower, upper] = weightedQuantiles(x, weights, [0.055, 0.945], order);
  let variance = 0;
  for (let i = 0; i < x.length; i++) variance += weights[i] * square(x[i] - mean);
  return { mean, lower, upper, mcse: Math.sqrt(variance / Math.max(ess, 1)) };
}

// Strict relevance by cohort, and the chance of levels 6 and 7 by year: means over draws.
function curvesOf(model, x, gate, reach, weights) {
  const { columns, n } = model, { cohorts, years } = model.data;
  const mean = (make) => { let s = 0; for (let i = 0; i < n; i++) s += weights[i] * make(i); return s; };
  const relevant = cohorts.map((year) => {
    const a0 = columns[`alignment untracked ${year}`], a1 = columns[`alignment tracked ${year}`];
    return mean((i) => (a0[i] * x.leak_untracked[i] + a1[i] * gate[i]) * reach[i]);
  });
  const used = cohorts.map((year) => {
    const a0 = columns[`alignment untracked ${year}`], a1 = columns[`alignment tracked ${year}`];
    return mean((i) => a0[i] + a1[i]);
  });
  const capabilities = cohorts.map((year) => meanOf(columns[`capabilities ${year}`], weights));
  const level6 = years.map((year) => {
    const enough = columns[`enough 6 ${year}`];
    return mean((i) => (1 - x.stop_6[i]) * enough[i]);
  });
  const level7 = years.map((year) => {
    const enough = columns[`enough 7 ${year}`];
    return mean((i) => (1 - x.stop_6[i]) * (1 - x.stop_7[i]) * enough[i]);
  });
  return { relevant, used, capabilities, level6, level7 };
}

// The answer to a state {belief: {dist, values}}; `good` false where weights are not to be trusted.
function answerOf(model, state) {
  const x = Object.fromEntries(MADE_FROM.map((name) => [name, drawsOf(model, name, state)]));
  const { weights, k, flat } = smoothedWeights(logRatios(model, state, x));
  const worth = 1 / weights.reduce((sum, w) => sum + w * w, 0);
  const { pareto_k, ess: least, share } = model.data.rule;
  const good = k <= pareto_k && worth >= Math.min(least, share * model.n);
  const ess = worth * Math.min(1, model.data.ess / model.n);
  const { out, reach, gate } = quantitiesOf(model, x), found = {};
  for (const [name, draws] of Object.entries(out)) {
    if (name.startsWith("strict")) found[name] = { mean: meanOf(draws, weights) };
    else found[name] = summary(draws, weights, ess, name in model.columns ? model.orderOf(name) : undefined);
  }
  const curves = curvesOf(model, x, gate, reach, weights);
  return { found, curves, k, worth, ess, good, how: flat ? "exact" : "reweighted" };
}
