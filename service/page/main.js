// What the page does: submit what the form says, follow it, show it, and keep the address in step.
import { getJson, postJson, Refusal, sayRefusal, send } from "./api.js";
import { byId } from "./dom.js";
import { follow } from "./events.js";
import { buildExplore, exploreRequest, exploreState, exploreSweep, restoreExplore } from "./explore.js";
import { buildForm, estimateSoon, fillForm, judge, NOTHING, predictedRange, readForm, showRefusal } from "./form.js";
import { sayRange } from "./forecast.js";
import { refresh, setUpList } from "./joblist.js";
import { curlLines, pythonLines } from "./lines.js";
import { unfold } from "./pursuit.js";
import { clear, isShown, load, loadTable, remove, setUp, update } from "./results.js";
import { exploreAddress, jobsAddress, readAddress, writeAddress } from "./share.js";

const actions = {
  show: (id) => open([id]),
  overlay: (id) => open([id], false),
  cancel: (id) => end(`v1/jobs/${id}`),
  remove: async (id) => {
    if (await end(`v1/jobs/${id}/result`)) remove(id);
  },
  again,
};
let submitting = false;

async function run(event) {
  event?.preventDefault();
  if (submitting) return;
  const wrong = judge();
  if (wrong) return wrong.focus();
  const requests = readForm();
  if (!requests.length) {
    showRefusal({ message: NOTHING });
    return document.querySelector("#fields-kinds input").focus();
  }
  submitting = true;
  byId("run").disabled = true;
  try {
    if (!(await isAffordable(requests))) return;
    const records = [];
    for (const request of requests) records.push(await postJson("v1/jobs", request));
    records.forEach(({ id }) => unfold(id));
    clear();
    if (
      byId("results").getBoundingClientRect().top < 0 ||
      byId("results").getBoundingClientRect().top > innerHeight / 2
    )
      byId("results").scrollIntoView();
    writeAddress(
      jobsAddress(
        records.map((record) => record.id),
        requests[0],
      ),
      true,
    );
    records.forEach(watch);
    await refresh();
  } catch (error) {
    refused(error);
  } finally {
    submitting = false;
    byId("run").disabled = false;
  }
}

const LONG = 60; // seconds that a job may take above which it asks first

// Whether the requests are short, or somebody says that they may take long.
async function isAffordable(requests) {
  const range = await predictedRange(requests);
  if (range[1] <= LONG) return true;
  byId("ask-text").textContent = `This is predicted to take ${sayRange(range)}.`;
  byId("ask").hidden = false;
  byId("ask-yes").focus();
  const answer = await new Promise((resolve) => {
    byId("ask-yes").onclick = () => resolve(true);
    byId("ask-no").onclick = () => resolve(false);
  });
  byId("ask").hidden = true;
  return answer;
}

async function watch(asked) {
  let record = asked;
  update(record);
  try {
    for await (const news of follow(asked)) {
      record = news.record;
      if (!isShown(record.id)) continue;
      update(record, news.curve);
      loadTable(record).catch(refused);
    }
    await load(record);
    await refresh();
  } catch (error) {
    refused(error);
  }
}

// `step`: Back leads from there to where the page was.
async function open(ids, afresh = true, step = true) {
  try {
    const records = await Promise.all(ids.map((id) => getJson(`v1/jobs/${id}`)));
    if (afresh) {
      clear();
      const same = records.filter(
        ({ request }) => JSON.stringify(request.problem) === JSON.stringify(records[0].request.problem),
      );
      fillForm(
        records[0].request,
        same.slice(1).map(({ request }) => request),
      );
      writeAddress(jobsAddress(ids, records[0].request), step);
    }
    records.forEach(watch);
    byId("results").focus();
  } catch (error) {
    refused(error);
  }
}

// Cancel a job or delete it; what the service has against that stands above the list. Says whether it was done.
async function end(path) {
  byId("jobs-error").textContent = "";
  try {
    await send("DELETE", path);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    byId("jobs-error").textContent = sayRefusal(error);
  }
  await refresh();
  return byId("jobs-error").textContent === "";
}

function again(request) {
  fillForm(request);
  return run();
}

function refused(error) {
  if (error instanceof Refusal) showRefusal(error);
  else if (error.name !== "AbortError") throw error;
}

function changed() {
  estimateSoon();
  const request = readForm()[0];
  if (!request) return;
  const service = new URL(".", location.href).href.replace(/\/$/, ""); // which may be below a path
  byId("curl").textContent = curlLines(request, service);
  byId("python").textContent = pythonLines(request, service);
}

async function share() {
  writeAddress(jobsAddress(readAddress().ids, readForm()[0] || null));
  await navigator.clipboard?.writeText(location.href).catch(() => {});
  byId("share").textContent = "Address copied";
  setTimeout(() => {
    byId("share").textContent = "Copy address";
  }, 2000);
}

// Show what the address names: a view, its settings, its jobs.
async function restore() {
  const { view, ids, state, request } = readAddress();
  for (const [name, id] of [
    ["explore", "explore"],
    ["form", "work"],
  ]) {
    byId(id).hidden = name !== view;
    byId(`to-${name}`).toggleAttribute("aria-current", name === view);
  }
  if (view === "explore") return restoreExplore(state);
  if (request) fillForm(request);
  if (ids.length) return open(ids, true, false);
  clear();
  estimateSoon();
}

function explored() {
  clearTimeout(explored.timer); // browsers allow few changes of the address in a second
  explored.timer = setTimeout(() => {
    if (readAddress().view === "explore") writeAddress(exploreAddress(exploreState()));
  }, 300);
}

function openInForm(request) {
  writeAddress("#form", true);
  fillForm(request);
  return restore();
}

// The form holds a sweep over the slider that was moved last, ready to run.
async function openSweep() {
  await openInForm(exploreSweep());
  byId("axis-0-values").focus();
}

// Past what stands at the top, in either view; the address stays as it is.
function skip(event) {
  event.preventDefault();
  byId(byId("explore").hidden ? "results" : "view").focus();
}

async function start() {
  const presets = await getJson("page/presets.json");
  buildExplore(presets, explored);
  byId("explore-form").addEventListener("click", () => openInForm(exploreRequest()));
  byId("explore-sweep").addEventListener("click", openSweep);
  byId("skip").addEventListener("click", skip);
  if (readAddress().view === "explore") restore();
  const kinds = await buildForm(presets);
  setUp(actions);
  setUpList(actions, kinds);
  byId("form").addEventListener("submit", run);
  byId("form").addEventListener("input", changed);
  byId("form").addEventListener("change", changed);
  byId("share").addEventListener("click", share);
  window.addEventListener("hashchange", restore);
  document.body.dataset.ready = "yes";
  changed();
  if (readAddress().view === "form") await restore();
  await refresh();
}

start();
