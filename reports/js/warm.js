// Before a reader moves anything: answer each belief, moved a little. What runs often is then compiled,
// orders of draws are at hand, and the first move is as quick as any. The belief that takes most kinds
// of work comes at once, the others in the browser's idle time.

const WARM_ROUNDS = 5, WARM_FIRST = "stop_6";

function nudged(belief, round) {
  const family = FAMILIES[belief.dist], { values } = belief;
  if (!family) return {};
  return { [belief.name]: { dist: belief.dist, values: family.moved(values, family.place(values), 1.05 + 0.02 * round) } };
}

function warmUp(model) {
  const { beliefs } = model.data, first = (b) => (b.name === WARM_FIRST ? 0 : 1);
  const shown = beliefs.filter((b) => b.slider).sort((a, b) => first(a) - first(b)), work = [];
  for (let round = 0; round < WARM_ROUNDS; round++) {
    for (const belief of shown) work.push(() => answerOf(model, nudged(belief, round)));
  }
  work.push(() => basesOf(model));
  const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 30));
  const next = () => { work.shift()(); if (work.length) idle(next); };
  next();
}
