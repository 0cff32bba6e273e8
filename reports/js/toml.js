// A state as a priors file that `forecast run` takes, and as the fragment of a link.

const quoted = (text) => JSON.stringify(String(text)).replace(/\u007f/g, "\\u007f");
const decimal = (x) => (Number.isInteger(x) ? `${x}.0` : String(x).replace(/^(-?\d+)e/, "$1.0e"));

function toToml(data, state, today) {
  const changed = data.beliefs.filter((b) => differs(b, state[b.name])).map((b) => ({ ...b, now: state[b.name] }));
  const beside = data.beside.filter((b) => state[b.name]).map((b) => ({ ...b, now: state[b.name] }));
  const head = data.toml, lines = [
    "schema = 1", `extends = ${quoted(head.extends)}`, `name = ${quoted(head.name)}`,
    `author = ${quoted(head.author || "a reader")}`, `date = ${today}`,
    'summary = "Beliefs moved on the page of a run."',
  ];
  for (const belief of [...changed, ...beside]) {
    lines.push("", `[priors.${belief.name}]`, `dist = ${quoted(belief.now.dist)}`);
    belief.params.forEach((name, i) => lines.push(`${name} = ${decimal(belief.now.values[i])}`));
    lines.push(`unit = ${quoted(belief.unit)}`, `block = ${quoted(belief.block)}`,
      `claims = [${belief.claims.map(quoted).join(", ")}]`,
      'source = "moved on the page of a run"', 'why = "Say here why."');
  }
  return `${lines.join("\n")}\n`;
}

const START = "#beliefs=";

function toFragment(data, state) {
  const all = [...data.beliefs.filter((b) => differs(b, state[b.name])), ...data.beside.filter((b) => state[b.name])];
  if (!all.length) return "";
  return START + all.map((b) => `${b.name}:${state[b.name].values.join(",")}`).join(";");
}

// The state that a link holds; what is unknown or impossible is left out and counted.
function fromFragment(data, fragment) {
  const state = {};
  let refused = 0;
  if (!fragment.startsWith(START)) return { state, refused };
  const known = Object.fromEntries([...data.beliefs, ...data.beside].map((b) => [b.name, b]));
  for (const part of fragment.slice(START.length).split(/;|%3B/)) {
    const [name, numbers] = part.replaceAll("%2C", ",").replaceAll("%3A", ":").split(":"), belief = Object.hasOwn(known, name) ? known[name] : null;
    const values = (numbers ?? "").split(",").map(Number);
    const fits = belief && values.length === belief.values.length && values.every(Number.isFinite)
      && belief.params.every((p, i) => p === "mu" || values[i] > 0);
    if (fits) state[name] = { dist: belief.dist, values }; else refused += 1;
  }
  return { state, refused };
}
