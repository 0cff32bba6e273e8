// Pareto-smoothed importance sampling (Vehtari et al. 2024, JMLR 25:72), with the fit of a
// generalised Pareto distribution of Zhang and Stephens (2009).

function logSumExp(x) {
  let most = -Infinity, sum = 0;
  for (const v of x) if (v > most) most = v;
  for (const v of x) sum += Math.exp(v - most);
  return most + Math.log(sum);
}

// Shape and scale of rising exceedances; shape NaN where the tail is no such distribution.
function fitPareto(x) {
  const n = x.length, m = 30 + Math.floor(Math.sqrt(n));
  const quartile = x[Math.floor(n / 4 + 0.5 - 1)];
  if (quartile <= x[0]) return { k: NaN, sigma: NaN };
  const meanLog = (b) => {
    let sum = 0;
    for (const v of x) sum += Math.log1p(-b * v);
    return sum / n;
  };
  const bs = Array.from({ length: m }, (_, i) =>
    (1 - Math.sqrt(m / (i + 0.5))) / (3 * quartile) + 1 / x[n - 1]);
  const profile = bs.map((b) => { const k = meanLog(b); return n * (Math.log(-b / k) - k - 1); });
  const total = logSumExp(profile);
  let weights = profile.map((p) => Math.exp(p - total));
  weights = weights.map((w) => (w >= 10 * Number.EPSILON ? w : 0));
  const sum = weights.reduce((a, w) => a + w, 0);
  const b = bs.reduce((a, one, i) => a + one * weights[i], 0) / sum;
  const k = meanLog(b);
  return { k: (n * k + 5) / (n + 10), sigma: -k / b };
}

// Places of the `count` greatest entries, rising, and the greatest entry below them.
function upperTail(x, count) {
  const below = x.slice().sort()[x.length - count - 1], places = [], ties = [];
  for (let i = 0; i < x.length; i++) {
    if (x[i] > below) places.push(i); else if (x[i] === below) ties.push(i);
  }
  places.sort((i, j) => x[i] - x[j]);
  return { places: [...ties.slice(ties.length - (count - places.length)), ...places], below };
}

// Normalised weights and Pareto k of log ratios; what cannot be fitted has k = Infinity.
function smoothedWeights(logRatios) {
  const n = logRatios.length;
  let most = -Infinity, least = Infinity;
  for (const v of logRatios) { if (v > most) most = v; if (v < least) least = v; }
  if (most === least) return { weights: new Float64Array(n).fill(1 / n), k: 0, flat: true };
  const x = logRatios.map((v) => v - most);
  const tail = Math.floor(n > 225 ? 3 * Math.sqrt(n) : n / 5);
  const { places, below } = upperTail(x, tail), cutoff = Math.exp(below);
  let k = Infinity;
  if (tail >= 5 && x[places[tail - 1]] > x[places[0]]) {
    const fitted = fitPareto(places.map((i) => Math.exp(x[i]) - cutoff));
    k = Number.isNaN(fitted.k) ? Infinity : fitted.k;
    if (Number.isFinite(k) && fitted.sigma > 0) {
      places.forEach((place, i) => {
        const p = (i + 0.5) / tail;
        const q = k === 0
          ? cutoff - fitted.sigma * Math.log1p(-p)
          : cutoff + (fitted.sigma * Math.expm1(-k * Math.log1p(-p))) / k;
        x[place] = Math.min(Math.log(q), 0);
      });
    }
  }
  const total = logSumExp(x);
  return { weights: x.map((v) => Math.exp(v - total)), k, flat: false };
}
