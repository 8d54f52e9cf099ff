// The Explore view: sliders, a picture that follows them, pinned curves, and what can be taken away.
import { save } from "./api.js";
import { toImage } from "./canvas.js";
import { byId, button, element } from "./dom.js";
import { exploreScript } from "./lines.js";
import { drawPicture, isAlone, keyOf } from "./picture.js";
import { Pursuit } from "./pursuit.js";
import { partOf, QUANTITIES } from "./quantities.js";
import {
  curvesRequest,
  differences,
  fromRequest,
  position,
  SETTINGS,
  sweepRequest,
  valueAt,
  withDefaults,
  withSetting,
} from "./settings.js";
import { fillTheory } from "./theory.js";
import { buildUnits } from "./units.js";

const STEPS = 1000; // of a slider
const MOST_PINS = 5;

const current = { settings: null }; // that the sliders show
const nothing = (settings) => ({ settings, parts: {}, theory: null, slot: 0 });
let next = nothing(null), // what is known so far of the settings that are computed
  answered = null, // the last that have an answer
  drawn = null; // what the picture is of: those, or curves that still grow
const pins = []; // each in a slot of its own, whose colour it keeps
const sliders = {};
let presets = [],
  changed = () => {},
  moved = "initial_scale"; // the slider that a sweep is over
const pursuit = new Pursuit(news);
const axes = () => ({ time: byId("explore-time").value, value: byId("explore-value").value });
const quantity = () => byId("explore-quantity").value;

export function buildExplore(given, onChange) {
  presets = given;
  changed = onChange;
  byId("sliders").append(...Object.keys(SETTINGS).map(makeSlider));
  byId("explore-preset").append(
    ...presets.map(({ name }, i) => element("option", { value: i }, name)),
    element("option", { value: "", hidden: true }, "your own"),
  );
  byId("explore-preset").addEventListener("change", () => usePreset(byId("explore-preset").value));
  byId("explore-quantity").append(
    ...Object.entries(QUANTITIES).map(([value, { label }]) => element("option", { value }, label)),
  );
  byId("explore-quantity").addEventListener("change", () => {
    byId("explore-value").value = QUANTITIES[quantity()].scale ?? "log";
    lookAtPins();
    look();
    draw();
  });
  for (const id of ["explore-time", "explore-value"]) byId(id).addEventListener("change", draw);
  byId("pin").addEventListener("click", pin);
  byId("save-svg").addEventListener("click", () => saveImage("svg"));
  byId("save-png").addEventListener("click", () => saveImage("png"));
  byId("save-python").addEventListener("click", saveScript);
  byId("field-names").addEventListener("change", () =>
    byId("sliders").classList.toggle("named", byId("field-names").checked),
  );
  byId("explore-quantity").value = "losses";
  buildUnits((found) => takeOver({ ...current.settings, ...found }));
}

// The view as an address keeps it.
export const exploreState = () => ({
  settings: current.settings,
  pins: pins.map(({ settings }) => settings),
  quantity: quantity(),
});

// Take up what an address kept, or begin with the first preset.
export function restoreExplore(state) {
  if (!state?.settings) return current.settings ? undefined : usePreset(0);
  const kept = (state.pins ?? []).slice(0, MOST_PINS).map(withDefaults);
  pins.splice(0, pins.length, ...kept.map((settings, i) => ({ settings, parts: {}, theory: null, slot: i + 1 })));
  if (state.quantity in QUANTITIES) byId("explore-quantity").value = state.quantity;
  lookAtPins();
  takeOver(withDefaults(state.settings));
}

export const exploreRequest = () => curvesRequest(current.settings, 0.01);
export const exploreSweep = () => sweepRequest(current.settings, moved, 0.01);

function usePreset(number) {
  byId("explore-preset").value = number;
  byId("explore-preset-note").textContent = presets[number].note;
  move(fromRequest(presets[number].request));
}

function makeSlider(name) {
  const { symbol, about, field, low, high, step } = SETTINGS[name],
    id = `slider-${name}`;
  const range = element("input", {
    type: "range",
    id,
    min: 0,
    max: STEPS,
    step: step ? (STEPS * step) / (high - low) : 1,
    "aria-label": `${symbol}, ${about}`,
  });
  const number = element("input", {
    type: "number",
    step: "any",
    inputMode: "decimal",
    "aria-label": `${symbol}, ${about}`,
  });
  range.addEventListener("input", () => set(name, valueAt(name, range.value / STEPS)));
  number.addEventListener("input", () => {
    if (number.value !== "" && number.validity.valid) set(name, Number(number.value), number);
  });
  const label = element("label", { htmlFor: id, title: field }, [
    element("span", { className: "symbol" }, symbol),
    element("code", {}, field),
  ]);
  const node = element("div", { className: "slider", dataset: { name } }, [
    label,
    number,
    range,
    element("small", {}, about),
  ]);
  sliders[name] = { node, range, number };
  return node;
}

function set(name, value, typed = null) {
  moved = name;
  takeOver(withSetting(current.settings, name, value), typed);
}

// Go to settings that are those of no preset.
function takeOver(settings, typed = null) {
  byId("explore-preset").value = "";
  byId("explore-preset-note").textContent = "Your own settings.";
  move(settings, typed);
}

// The view goes to these settings; the field in which they were typed stays as it is.
function move(settings, typed = null) {
  current.settings = settings;
  for (const [name, { node, range, number }] of Object.entries(sliders)) {
    const value = settings[name] ?? 1,
      { only, symbol } = SETTINGS[name];
    node.hidden = only ? !only(settings) : false;
    range.value = STEPS * Math.min(1, Math.max(0, position(name, value)));
    range.setAttribute("aria-valuetext", `${symbol} = ${settings[name] ?? "not of this target"}`);
    if (number !== typed) number.value = settings[name] ?? "";
  }
  if (!exploreSweep()) moved = "initial_scale";
  byId("explore-sweep").textContent = `Sweep over ${SETTINGS[moved].symbol}`;
  look();
}

// Follow the settings, for the quantity that is chosen.
function look() {
  say("computing…");
  pursuit.aim(current.settings, partOf(quantity()));
  changed();
}

// Pinned curves of which the quantity is not known yet are computed, each by itself.
function lookAtPins() {
  const part = partOf(quantity());
  for (const one of pins.filter(({ parts }) => !parts[part]))
    new Pursuit((_, what) => {
      take(one, what);
      draw();
    }).aim(one.settings, part);
}

function take(one, { parts, theory }) {
  if (parts) one.parts = { ...one.parts, ...parts };
  if (theory !== undefined) one.theory = theory;
}

function news(settings, what) {
  if (next.settings !== settings) next = nothing(settings);
  take(next, what);
  if (what.theory !== undefined) fillTheory(byId("explore-theory"), what.theory, what.theoryError); // its marks come with the curves
  byId("explore-running").textContent = what.running?.message ?? "";
  if (what.sofar && partOf(quantity()) === "curves" && !next.parts.curves) {
    drawn = { ...next, parts: { curves: what.sofar }, grows: true };
    draw();
  }
  if (what.error === undefined) return;
  if (what.parts) answered = next;
  drawn = answered;
  byId("picture").classList.toggle("stale", Boolean(what.error));
  byId("explore-error").textContent = what.error ?? "";
  say(
    what.error
      ? "no curves for these settings"
      : `to ${100 * what.accuracy} %${what.accuracy > 0.01 ? ", refined when the sliders rest" : ""}`,
  );
  draw();
}

// Marks on the page tell programs how far it is: the settings drawn and their accuracy.
function say(text) {
  byId("explore-said").textContent = text;
  byId("explore-said").dataset.settled = text.startsWith("to 1 %") ? "yes" : "no";
}

function draw() {
  if (!drawn?.parts[partOf(quantity())] || byId("explore").hidden) return;
  const shown = [drawn, ...pins.filter((one) => !isSame(one.settings, drawn.settings))];
  for (const id of ["explore-time", "explore-value"]) byId(id).disabled = isAlone(quantity());
  byId("explore-caption").textContent = drawPicture(byId("picture"), shown, quantity(), axes());
  if (!drawn.grows) byId("picture").dataset.settings = JSON.stringify(drawn.settings);
  byId("explore-empty").hidden = true;
  listKey();
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function pin() {
  if (!answered || pins.some(({ settings }) => isSame(settings, answered.settings))) return;
  if (pins.length === MOST_PINS) pins.shift();
  const taken = pins.map(({ slot }) => slot);
  pins.push({ ...answered, slot: [1, 2, 3, 4, 5].find((slot) => !taken.includes(slot)) });
  draw();
  changed();
}

function unpin(number) {
  pins.splice(number, 1);
  draw();
  changed();
  byId("pin").focus();
}

// The key of the picture: what each dash is, the present settings unless they are pinned, and the pins.
function listKey() {
  const [present, ...what] = differences([drawn.settings, ...pins.map(({ settings }) => settings)]);
  const isPresent = pins.map((one) => isSame(one.settings, drawn.settings)),
    isPinned = isPresent.includes(true);
  const { settings, curves } = keyOf([0, ...pins.map(({ slot }, i) => (isPresent[i] ? 0 : slot))], quantity());
  const state = JSON.stringify([present, what, isPinned, settings, curves]);
  if (byId("pins").dataset.of === state) return; // what has the focus keeps it
  byId("pins").dataset.of = state;
  byId("pins").replaceChildren(
    ...curves.map(({ text, dash }) => element("li", {}, [swatch("var(--ink)", dash), text])),
    ...(pins.length && settings.length && !isPinned
      ? [element("li", {}, [swatch(settings[0].color, settings[0].dash), present || "the present curve"])]
      : []),
    ...what.map((text, i) =>
      element("li", {}, [
        settings[i + 1] ? swatch(settings[i + 1].color, settings[i + 1].dash) : null,
        text || "the present curve",
        button("Unpin", () => unpin(i), `Unpin ${text || "the present curve"}`),
      ]),
    ),
  );
}

function swatch(color, dash) {
  const node = element("span", { className: "swatch" });
  node.style.borderTop = `3px ${{ solid: "solid", dot: "dotted" }[dash] ?? "dashed"} ${color}`;
  return node;
}

async function saveImage(format) {
  save(await toImage(byId("picture"), format, byId("explore-caption").textContent), `dlnflow-${quantity()}.${format}`);
}

function saveScript() {
  const all = [answered?.settings ?? current.settings, ...pins.map(({ settings }) => settings)],
    names = differences(all);
  const requests = all.map((settings, i) => [names[i] || "mean-field theory", curvesRequest(settings, 0.01)]);
  const text = exploreScript(requests, quantity(), axes(), new URL(".", location.href).href.replace(/\/$/, ""));
  save(new Blob([text], { type: "text/x-python" }), `dlnflow-${quantity()}.py`);
}
