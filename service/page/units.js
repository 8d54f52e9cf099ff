// The converter of units: what a paper writes, in the symbols of Explore. The service converts, so that all clients agree.
import { postJson, Refusal, sayRefusal } from "./api.js";
import { button, byId, element, show } from "./dom.js";
import { SETTINGS } from "./settings.js";

const CHOICES = {
  parametrisation: { product: "β = u ∘ v, u(0) = α, v(0) = 0", difference: "β = uᴸ − vᴸ, u(0) = v(0) = α" },
  loss: {
    half_mean: "Σr²/(2n)",
    mean: "Σr²/n",
    quarter_mean: "Σr²/(4n)",
    half_sum: "Σr²/2",
    sum: "Σr²",
  },
};
const CONVENTION = {
  depth: { label: "depth L", start: 2 },
  feature_std: { label: "deviation of the features", start: 1 },
  dimension: { label: "parameters d", start: 10000 },
  samples: { label: "samples n", start: 5000 },
};
const VALUES = {
  alpha: { label: "scale α", start: 1 },
  step_size: { label: "step γ" },
  steps: { label: "steps" },
  time: { label: "time of a flow" },
  batch_size: { label: "samples in a batch" },
  weight_decay: { label: "penalty μ" },
};
const REST = 150; // milliseconds after the last change

const inputs = {};
let settings = null, // of what is typed, once the service has converted it
  timer = null,
  stop = null;

// `use(settings)` is called with what somebody wants to see.
export function buildUnits(use) {
  const choices = Object.entries(CHOICES).map(([name, options]) =>
    field(
      name,
      name,
      element(
        "select",
        {},
        Object.entries(options).map(([value, text]) => element("option", { value }, text)),
      ),
    ),
  );
  const numbers = Object.entries({ ...CONVENTION, ...VALUES }).map(([name, { label, start = "" }]) =>
    field(name, label, element("input", { type: "number", step: "any", inputMode: "decimal", value: start })),
  );
  const take = button("Use these numbers", () => use(settings));
  take.id = "units-use";
  byId("units").append(
    ...choices,
    ...numbers,
    element("output", { id: "units-found" }),
    element("p", { id: "units-error", className: "error", role: "alert" }),
    take,
  );
  know(null);
  byId("units").addEventListener("toggle", convert);
  byId("units").addEventListener("input", () => {
    stop?.abort();
    know(null);
    clearTimeout(timer);
    timer = setTimeout(convert, REST);
  });
}

function field(name, label, input) {
  inputs[name] = input;
  return element("label", { dataset: { name } }, [`${label} `, input]);
}

const isProduct = () => inputs.parametrisation.value === "product";
const numbersOf = (names) =>
  Object.fromEntries(
    names.filter((name) => inputs[name].value !== "").map((name) => [name, Number(inputs[name].value)]),
  );

// What was converted is taken over only as long as nothing else is typed.
function know(found) {
  settings = found;
  byId("units-use").disabled = !found;
}

async function convert() {
  inputs.depth.parentElement.hidden = isProduct();
  stop?.abort();
  stop = new AbortController();
  know(null);
  const convention = numbersOf(Object.keys(CONVENTION).filter((name) => name !== "depth" || !isProduct()));
  const choices = { parametrisation: inputs.parametrisation.value, loss: inputs.loss.value };
  try {
    const request = { ...choices, ...convention, values: numbersOf(Object.keys(VALUES)) };
    const found = await postJson("v1/units", request, { signal: stop.signal });
    know(settingsOf(found, convention.depth ?? 2));
    tell(Object.entries(settings).map(([name, value]) => `${SETTINGS[name].symbol} = ${show(value)}`));
  } catch (error) {
    if (error instanceof Refusal) tell([], sayRefusal(error));
    else if (error.name !== "AbortError") throw error;
  }
}

// Settings of Explore: the time of a flow is its horizon too.
function settingsOf({ values: { time, ...values }, aspect_ratio }, depth) {
  const known = Object.entries({ horizon: time, ...values }).filter(([name, value]) => name in SETTINGS && value);
  return { aspect_ratio, depth, ...Object.fromEntries(known.map(([name, value]) => [name, digits(value)])) };
}

const digits = (value) => Number(value.toPrecision(6));

function tell(lines, error = "") {
  byId("units-found").textContent = lines.join(", ");
  byId("units-error").textContent = error;
}
