// Families of distributions, in the spelling of a priors file: quantiles, densities, and how a
// slider moves them. `values` are the parameters in the order of the file.

// Solve cdf(x) = p for rising p. Each solution is stepped to from the one before by the Taylor series
// of the quantile function, then Newton's steps within a bracket make it exact: a step below 1e-7
// leaves an error of its square. `slope` is the derivative of the log density.
function rising(ps, { cdf, density, slope, start, top }) {
  const out = new Float64Array(ps.length);
  let low = 0, x = start, reached = 0;
  for (let i = 0; i < ps.length; i++) {
    if (i > 0) {
      const step = (ps[i] - reached) / density(x), guess = x + step * (1 - 0.5 * step * slope(x));
      if (guess > low && guess < top) x = guess;
    }
    let a = low, b = top;
    for (let round = 0; round < 200; round++) {
      const gap = cdf(x) - ps[i];
      if (gap === 0) break;
      if (gap < 0) a = Math.max(a, x); else b = Math.min(b, x);
      let next = Math.min(x - gap / density(x), 2 * x + 1);
      const newton = next > a && next < b;
      if (!newton) next = b === Infinity ? 2 * x + 1 : (a + b) / 2;
      const done = Math.abs(next - x) <= (newton ? 1e-7 : 1e-15) * Math.abs(next);
      x = next;
      if (done) break;
    }
    out[i] = low = x;
    reached = ps[i];
  }
  return out;
}

const logit = (p) => Math.log(p) - Math.log1p(-p);
const logistic = (x) => 1 / (1 + Math.exp(-x));
const square = (x) => x * x;

// quantiles: of rising probabilities. kernel: log density up to a constant. place: what the slider
// shows. moved: parameters at a new place, with `width` times the stated spread.
const FAMILIES = {
  Normal: {
    quantiles: (p, [mu, sigma]) => Float64Array.from(p, (u) => mu + sigma * normalQuantile(u)),
    kernel: ([mu, sigma]) => (x) => -0.5 * square((x - mu) / sigma),
    place: ([mu]) => mu,
    moved: ([, sigma], place, width) => [place, sigma * width],
    width: ([, sigma], [, now]) => now / sigma,
    scale: "real",
  },
  LogNormal: {
    quantiles: (p, [mu, sigma]) =>
      Float64Array.from(p, (u) => Math.exp(mu + sigma * normalQuantile(u))),
    kernel: ([mu, sigma]) => (x) => -0.5 * square((Math.log(x) - mu) / sigma) - Math.log(x),
    place: ([mu]) => Math.exp(mu),
    moved: ([, sigma], place, width) => [Math.log(place), sigma * width],
    width: ([, sigma], [, now]) => now / sigma,
    scale: "log",
  },
  LogitNormal: {
    quantiles: (p, [mu, sigma]) =>
      Float64Array.from(p, (u) => logistic(mu + sigma * normalQuantile(u))),
    kernel: ([mu, sigma]) => (x) =>
      -0.5 * square((logit(x) - mu) / sigma) - Math.log(x) - Math.log1p(-x),
    place: ([mu]) => logistic(mu),
    moved: ([, sigma], place, width) => [logit(place), sigma * width],
    width: ([, sigma], [, now]) => now / sigma,
    scale: "logit",
  },
  Beta: {
    quantiles(p, [a, b]) {
      const constant = logBetaFunction(a, b);
      return rising(p, {
        cdf: (x) => betaCdf(x, a, b, constant),
        density: (x) => Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - constant),
        slope: (x) => (a - 1) / x - (b - 1) / (1 - x),
        start: a / (a + b),
        top: 1,
      });
    },
    kernel: ([a, b]) => (x) => (a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x),
    place: ([a, b]) => a / (a + b),
    moved([a, b], place, width) {
      const size = Math.max((a + b + 1) / square(width) - 1, 0.1);
      return [place * size, (1 - place) * size];
    },
    width: ([a, b], [c, d]) => Math.sqrt((a + b + 1) / (c + d + 1)),
    scale: "logit",
  },
  Gamma: {
    quantiles(p, [a, rate]) {
      const constant = logGamma(a);
      const found = rising(p, {
        cdf: (x) => gammaCdf(x, a),
        density: (x) => Math.exp((a - 1) * Math.log(x) - x - constant),
        slope: (x) => (a - 1) / x - 1,
        start: a,
        top: Infinity,
      });
      return found.map((x) => x / rate);
    },
    kernel: ([a, rate]) => (x) => (a - 1) * Math.log(x) - rate * x,
    place: ([a, rate]) => a / rate,
    moved: ([a], place, width) => [a / square(width), a / square(width) / place],
    width: ([a], [now]) => Math.sqrt(a / now),
    scale: "log",
  },
};

// Quantiles at probabilities in any order; `order` lists their places from the least up.
function quantilesAt(dist, values, u, order) {
  const sorted = new Float64Array(u.length), out = new Float64Array(u.length);
  order.forEach((place, i) => { sorted[i] = u[place]; });
  const found = FAMILIES[dist].quantiles(sorted, values);
  order.forEach((place, i) => { out[place] = found[i]; });
  return out;
}
