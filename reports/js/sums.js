// Means, quantiles and places of weighted draws.

// Places of the entries from the least up.
function orderedPlaces(x) {
  const places = new Uint32Array(x.length);
  for (let i = 0; i < x.length; i++) places[i] = i;
  return places.sort((i, j) => x[i] - x[j]);
}

function meanOf(x, weights) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += weights[i] * x[i];
  return sum;
}

// Quantiles of equally weighted draws, as NumPy's default has them.
function plainQuantiles(x, probabilities) {
  const sorted = x.slice().sort(), last = sorted.length - 1;
  return probabilities.map((p) => {
    const at = p * last, low = Math.floor(at), high = Math.min(low + 1, last);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  });
}

// Quantiles of weighted draws; with equal weights those of NumPy's default.
function weightedQuantiles(x, weights, probabilities, order) {
  const whole = 1 - weights[order[order.length - 1]], out = [];
  let sum = 0, at = 0, lastP = 0, lastX = x[order[0]];
  for (let j = 0; j < order.length && at < probabilities.length; j++) {
    const place = order[j], p = sum / whole, here = x[place];
    while (at < probabilities.length && p >= probabilities[at] - 1e-12) {
      const share = p > lastP ? (probabilities[at] - lastP) / (p - lastP) : 1;
      out.push(lastX + share * (here - lastX));
      at++;
    }
    lastP = p;
    lastX = here;
    sum += weights[place];
  }
  while (out.length < probabilities.length) out.push(lastX);
  return out;
}

// Mean, the ends of the 89% equal-tailed interval, and the Monte Carlo error of the mean.
function summary(x, weights, { ess, flat, order }) {
  const mean = meanOf(x, weights), ends = [0.055, 0.945];
  const [lower, upper] = flat ? plainQuantiles(x, ends) : weightedQuantiles(x, weights, ends, order ? order() : orderedPlaces(x));
  let variance = 0;
  for (let i = 0; i < x.length; i++) variance += weights[i] * (x[i] - mean) * (x[i] - mean);
  return { mean, lower, upper, mcse: Math.sqrt(variance / Math.max(ess, 1)) };
}
