// Families of distributions, in the spelling of a priors file: quantiles, densities, and how a
// slider moves them. `values` are the parameters in the order of the file.

// The solution of cdf(x) = p above `low`, by Newton's steps within a bracket: a step below 1e-7 leaves
// an error of its square.
function solved(p, x, low, { cdf, density, top }) {
  let a = low, b = top;
  for (let round = 0; round < 200; round++) {
    const gap = cdf(x) - p;
    if (gap === 0) break;
    if (gap < 0) a = Math.max(a, x); else b = Math.min(b, x);
    let next = Math.min(x - gap / density(x), 2 * x + 1);
    const newton = next > a && next < b;
    if (!newton) next = b === Infinity ? 2 * x + 1 : (a + b) / 2;
    const done = Math.abs(next - x) <= (newton ? 1e-7 : 1e-15) * Math.abs(next);
    x = next;
    if (done) break;
  }
  return x;
}

const STRIDE = 8, CLOSE = 1e-9;

// Solve cdf(x) = p for rising p. Each eighth solution is exact; the seven between come from the Taylor
// series of the quantile function at the one before, if that foretells the eighth to 1e-9 of itself,
// else they are solved too. `slope` and `bend` are the derivatives of the log density.
function rising(ps, family) {
  const { density, slope, bend, start, top } = family, n = ps.length, out = new Float64Array(n);
  out[0] = solved(ps[0], start, 0, family);
  for (let at = 0, next; at < n - 1; at = next) {
    next = Math.min(at + STRIDE, n - 1);
    const x = out[at], f = density(x), s = slope(x), c2 = -s / 2, c3 = (2 * s * s - bend(x)) / 6;
    const h = (ps[next] - ps[at]) / f, guess = x + h * (1 + h * (c2 + h * c3));
    const inside = guess > x && guess < top;
    const found = out[next] = solved(ps[next], inside ? guess : x, x, family);
    const close = inside && Math.abs(found - guess) <= CLOSE * Math.min(found, top - found);
    for (let i = at + 1; i < next; i++) {
      const step = (ps[i] - ps[at]) / f, y = x + step * (1 + step * (c2 + step * c3));
      out[i] = close ? y : solved(ps[i], y > out[i - 1] && y < found ? y : out[i - 1], out[i - 1], family);
    }
  }
  return out;
}

const logit = (p) => Math.log(p) - Math.log1p(-p);
const logistic = (x) => 1 / (1 + Math.exp(-x));
const square = (x) => x * x;

function mapped(x, make) {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = make(x[i]);
  return out;
}

// quantiles: of rising probabilities. kernel: log densities of draws, up to a constant. place: what
// the slider shows. moved: parameters at a new place, with `width` times the stated spread.
const FAMILIES = {
  Normal: {
    quantiles: (p, [mu, sigma]) => mapped(p, (u) => mu + sigma * normalQuantile(u)),
    kernel: ([mu, sigma], x) => mapped(x, (v) => -0.5 * ((v - mu) / sigma) ** 2),
    place: ([mu]) => mu,
    moved: ([, sigma], place, width) => [place, sigma * width],
    width: ([, sigma], [, now]) => now / sigma,
    scale: "real",
  },
  LogNormal: {
    quantiles: (p, [mu, sigma]) => mapped(p, (u) => Math.exp(mu + sigma * normalQuantile(u))),
    kernel: ([mu, sigma], x) =>
      mapped(x, (v) => -0.5 * ((Math.log(v) - mu) / sigma) ** 2 - Math.log(v)),
    place: ([mu]) => Math.exp(mu),
    moved: ([, sigma], place, width) => [Math.log(place), sigma * width],
    width: ([, sigma], [, now]) => now / sigma,
    scale: "log",
  },
  LogitNormal: {
    quantiles: (p, [mu, sigma]) => mapped(p, (u) => 1 / (1 + Math.exp(-mu - sigma * normalQuantile(u)))),
    kernel: ([mu, sigma], x) => mapped(x, (v) => {
      const low = Math.log(v), high = Math.log1p(-v);
      return -0.5 * ((low - high - mu) / sigma) ** 2 - low - high;
    }),
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
        bend: (x) => -(a - 1) / square(x) - (b - 1) / square(1 - x),
        start: a / (a + b),
        top: 1,
      });
    },
    kernel: ([a, b], x) => mapped(x, (v) => (a - 1) * Math.log(v) + (b - 1) * Math.log1p(-v)),
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
        bend: (x) => -(a - 1) / square(x),
        start: a,
        top: Infinity,
      });
      return found.map((x) => x / rate);
    },
    kernel: ([a, rate], x) => mapped(x, (v) => (a - 1) * Math.log(v) - rate * v),
    place: ([a, rate]) => a / rate,
    moved: ([a], place, width) => [a / square(width), a / square(width) / place],
    width: ([a], [now]) => Math.sqrt(a / now),
    scale: "log",
  },
};

// Quantiles at probabilities in any order; `order` lists their places from the least up.
function quantilesAt(dist, values, u, order) {
  const sorted = new Float64Array(u.length), out = new Float64Array(u.length);
  for (let i = 0; i < order.length; i++) sorted[i] = u[order[i]];
  const found = FAMILIES[dist].quantiles(sorted, values);
  for (let i = 0; i < order.length; i++) out[order[i]] = found[i];
  return out;
}
