// The settings of the Explore view: what each slider moves, in which symbol and on which scale, and the requests that they stand for.

// `zero`: the left end of a logarithmic slider is 0. `default`: left out of requests, so that these keep their ids.
export const SETTINGS = {
  aspect_ratio: {
    symbol: "δ",
    about: "samples per weight, n/d",
    low: 0.1,
    high: 10,
    log: true,
    field: "problem.aspect_ratio",
  },
  initial_scale: {
    symbol: "a",
    about: "initial scale, u(0) = v(0) = a",
    low: 1e-3,
    high: 10,
    log: true,
    field: "problem.initial_scale",
  },
  noise_std: { symbol: "σ", about: "noise of the labels", low: 0, high: 2, field: "problem.noise_std" },
  weight_decay: {
    symbol: "λ",
    about: "weight decay",
    low: 1e-3,
    high: 1,
    log: true,
    zero: true,
    field: "problem.weight_decay",
  },
  density: {
    symbol: "ρ",
    about: "share of weights that are not zero",
    low: 0.01,
    high: 1,
    log: true,
    field: "problem.target.density",
  },
  depth: {
    symbol: "L",
    about: "layers, w = (uᴸ − vᴸ)/L; 1 is the linear model",
    low: 1,
    high: 6,
    step: 1,
    default: 2,
    field: "problem.depth",
  },
  batch_fraction: {
    symbol: "b",
    about: "share of the samples in a step; 1 is gradient flow",
    low: 0.02,
    high: 1,
    log: true,
    default: 1,
    field: "dynamics.batch_fraction",
  },
  step_size: {
    symbol: "η",
    about: "time of one step",
    low: 0.005,
    high: 1,
    log: true,
    default: 0.05,
    field: "dynamics.step_size",
    only: (settings) => settings.batch_fraction < 1,
  },
  temperature: {
    symbol: "τ",
    about: "noise of batches in short steps, η(1 − b)/(bδ)",
    low: 0.01,
    high: 2,
    log: true,
    zero: true,
    default: 0,
    field: "dynamics.temperature",
    only: (settings) => settings.batch_fraction === 1 && settings.depth <= 2,
  },
  horizon: { symbol: "T", about: "last time of the curves", low: 0.1, high: 1000, log: true, field: "horizon" },
};

const digits = (value) => Number(value.toPrecision(3));

// Between a value and the position of its slider, in [0, 1].
export function position(name, value) {
  const { low, high, log, zero } = SETTINGS[name];
  if (!log) return (value - low) / (high - low);
  if (zero && value <= 0) return 0;
  const at = Math.log(value / low) / Math.log(high / low);
  return zero ? 0.05 + 0.95 * at : at;
}

export function valueAt(name, at) {
  const { low, high, log, zero, step } = SETTINGS[name];
  if (zero) at = (at - 0.05) / 0.95;
  if (zero && at < 0) return 0;
  const value = log ? low * (high / low) ** at : low + (high - low) * at;
  return step ? Math.round(value / step) * step : digits(value);
}

const DEFAULTS = Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]));

// Settings of an address that may be older than some of the sliders.
export const withDefaults = (settings) => ({ ...DEFAULTS, ...settings });

export function fromRequest(request) {
  const problem = request.problem;
  return {
    aspect_ratio: problem.aspect_ratio,
    initial_scale: problem.initial_scale,
    noise_std: problem.noise_std,
    weight_decay: problem.weight_decay,
    target: problem.target,
    density: problem.target.density ?? null,
    depth: problem.depth ?? SETTINGS.depth.default,
    batch_fraction: request.dynamics?.batch_fraction ?? SETTINGS.batch_fraction.default,
    step_size: request.dynamics?.step_size ?? SETTINGS.step_size.default,
    temperature: request.dynamics?.temperature ?? SETTINGS.temperature.default,
    horizon: request.horizon,
  };
}

// The settings with one of them changed; a moved density makes the target sparse.
export function withSetting(settings, name, value) {
  const changed = { ...settings, [name]: value };
  return name === "density"
    ? { ...changed, target: { kind: "bernoulli_gauss", density: value, std: settings.target.std ?? 1 } }
    : changed;
}

function problemOf(settings) {
  const { aspect_ratio, target, noise_std, initial_scale, weight_decay, depth } = settings;
  const problem = { aspect_ratio, target, noise_std, initial_scale, weight_decay };
  return depth === SETTINGS.depth.default ? problem : { ...problem, depth };
}

export const theoryRequest = (settings) => ({ kind: "theory", problem: problemOf(settings) });

export function curvesRequest(settings, accuracy) {
  const request = { kind: "dmft", problem: problemOf(settings), horizon: settings.horizon, accuracy };
  const { step_size, batch_fraction, temperature } = settings;
  if (batch_fraction < 1) return { ...request, dynamics: { kind: "gradient_descent", step_size, batch_fraction } };
  if (!temperature || !isUsed(settings, "temperature")) return request;
  return { ...request, dynamics: { kind: "stochastic_gradient_flow", temperature } };
}

const isUsed = (settings, name) => settings[name] !== null && (SETTINGS[name].only?.(settings) ?? true);
const kindOf = ({ target }) => target.kind.replaceAll("_", "–");
const say = (settings, name) => `${SETTINGS[name].symbol} = ${settings[name]}`;

// Several settings in words: what they have in common once, and then what sets each apart.
export function sayTogether(all) {
  const differs = (name) => new Set(all.map((settings) => JSON.stringify(settings[name]))).size > 1;
  const common = Object.keys(SETTINGS).filter(
    (name) => !differs(name) && all.some((settings) => isUsed(settings, name)),
  );
  const target = all[0].density === null && !differs("target") ? [`target ${kindOf(all[0])}`] : [];
  return [[...common.map((name) => say(all[0], name)), ...target].join(", "), ...differences(all)]
    .filter(Boolean)
    .join("; ");
}

const SPACING = 0.1; // of a slider, between neighbouring values of a sweep

const round = (value) => Number(value.toPrecision(2));
const isOfProblem = (field) => field.startsWith("problem.");
const isAsked = (base, field) => isOfProblem(field) || base.dynamics?.[field.split(".")[1]] !== undefined;

// Values of a sweep about a setting, evenly spaced along its slider; null for one that the request does not hold.
export function sweepRequest(settings, name, accuracy) {
  const base = curvesRequest(settings, accuracy),
    at = position(name, settings[name]);
  if (name === "horizon" || settings[name] === null || !isAsked(base, SETTINGS[name].field)) return null;
  const around = [-2, -1, 0, 1, 2].map((k) => Math.min(1, Math.max(0, at + SPACING * k)));
  const found = around.map((place, k) => (k === 2 ? settings[name] : round(valueAt(name, place))));
  const values = [...new Set(found)].filter((value) => value || isOfProblem(SETTINGS[name].field));
  return { kind: "sweep", base, axes: { [SETTINGS[name].field]: values.sort((x, y) => x - y) } };
}

// What sets each of several settings apart from the others: `a = 0.03`.
export function differences(all) {
  const differs = (name) => new Set(all.map((settings) => JSON.stringify(settings[name]))).size > 1;
  const names = Object.keys(SETTINGS).filter(differs);
  const target = differs("target") && all.some((settings) => settings.density === null);
  return all.map((settings) =>
    [
      ...names.filter((name) => isUsed(settings, name)).map((name) => say(settings, name)),
      ...(target ? [kindOf(settings)] : []),
    ].join(", "),
  );
}
