// Numbers in the words of the page: the twins of reports/words.py.

// x to `digits` significant digits, never in powers of ten.
function digitsOf(x, digits) {
  if (x === 0) return "0";
  const places = Math.max(digits - 1 - Math.floor(Math.log10(Math.abs(x))), 0);
  const text = x.toFixed(Math.min(places, 20));
  return Number(text) && Math.floor(Math.log10(Math.abs(Number(text)))) > Math.floor(Math.log10(Math.abs(x)))
    ? x.toFixed(Math.max(Math.min(places, 20) - 1, 0)) : text;
}

const percentOf = (p) => (p > 0.98 ? (100 * p).toFixed(1) : digitsOf(100 * p, 2));

function chance(p) {
  if (p < 0.001) return "<0.1%";
  return p > 0.999 ? ">99.9%" : `${percentOf(p)}%`;
}

function ofHundred(p) {
  if (p < 0.001) return "fewer than 0.1";
  return p > 0.999 ? "more than 99.9" : percentOf(p);
}

// Thousands by commas, without the browser's tables of languages: these take 30 ms at first use.
function number(x) {
  if (Math.abs(x) >= 100) return String(Number(x.toPrecision(3))).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return String(Number(x.toPrecision(3)));
}

const valueIn = (x, unit) => (unit === "probability" || unit === "share" ? chance(x) : number(x));
