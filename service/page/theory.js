// What theory says of a problem, as a list: regime, rate, ends, time scales.
import { element, show } from "./dom.js";
import { nameOf } from "./quantities.js";

export function fillTheory(node, theory, error = null) {
  node.replaceChildren(
    ...(theory ? rowsOf(theory) : error ? [["theory", error]] : []).flatMap(([name, ...values]) => [
      element("dt", {}, name),
      ...values.map((value) => element("dd", {}, show(value))),
    ]),
  );
}

function rowsOf(theory) {
  const ends = Object.entries(theory)
    .filter(([name]) => name.startsWith("final_"))
    .map(([name, value]) => [`${nameOf(name.slice(6))}, t → ∞`, value]);
  const scales = theory.phases.map(({ name, start, end }) => [
    name.replaceAll("_", " "),
    `t = ${show(start)} to ${show(end)}`,
  ]);
  return [
    ["regime", theory.regime.replaceAll("_", " "), theory.regime_why],
    ["convergence rate γ", theory.convergence_rate],
    ...ends,
    ...scales,
  ];
}
