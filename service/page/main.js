// What the page does: submit what the form says, follow it, show it, and keep the address in step.
import { getJson, postJson, Refusal, send } from "./api.js";
import { byId } from "./dom.js";
import { follow } from "./events.js";
import { buildForm, estimateSoon, fillForm, judge, readForm, showRefusal } from "./form.js";
import { refresh, setUpList } from "./joblist.js";
import { curlLines, pythonLines } from "./lines.js";
import { clear, isShown, load, loadTable, setUp, update } from "./results.js";
import { readAddress, writeAddress } from "./share.js";

const actions = { show: (id) => open([id]), overlay: (id) => open([id], false), cancel, again };
let submitting = false;

async function run(event) {
  event?.preventDefault();
  if (submitting) return;
  const wrong = judge();
  if (wrong) return wrong.focus();
  const requests = readForm();
  if (!requests.length) return showRefusal({ message: "tick at least one kind of job to compute" });
  submitting = true;
  byId("run").disabled = true;
  try {
    const records = [];
    for (const request of requests) records.push(await postJson("v1/jobs", request));
    clear();
    if (byId("results").getBoundingClientRect().top < 0 || byId("results").getBoundingClientRect().top > innerHeight / 2) byId("results").scrollIntoView();
    writeAddress(records.map((record) => record.id), requests[0]);
    records.forEach(watch);
    await refresh();
  } catch (error) {
    refused(error);
  } finally {
    submitting = false;
    byId("run").disabled = false;
  }
}

async function watch(record) {
  update(record);
  try {
    await load(await follow(record, (news, curve) => {
      if (!isShown(record.id)) return;
      update(news, curve);
      loadTable(news).catch(refused);
    }));
    await refresh();
  } catch (error) {
    refused(error);
  }
}

async function open(ids, afresh = true) {
  try {
    const records = await Promise.all(ids.map((id) => getJson(`v1/jobs/${id}`)));
    if (afresh) {
      clear();
      const same = records.filter(({ request }) => JSON.stringify(request.problem) === JSON.stringify(records[0].request.problem));
      fillForm(records[0].request, same.slice(1).map(({ request }) => request));
      writeAddress(ids, records[0].request);
    }
    records.forEach(watch);
    byId("results").focus();
  } catch (error) {
    refused(error);
  }
}

async function cancel(id) {
  try {
    await send("DELETE", `v1/jobs/${id}`);
  } catch (error) {
    refused(error);
  }
  await refresh();
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
  const request = readForm()[0];
  if (!request) return;
  const service = new URL(".", location.href).href.replace(/\/$/, ""); // which may be below a path
  byId("curl").textContent = curlLines(request, service);
  byId("python").textContent = pythonLines(request, service);
  estimateSoon();
}

async function share() {
  writeAddress(readAddress().ids, readForm()[0] || null);
  await navigator.clipboard?.writeText(location.href).catch(() => {});
  byId("share").textContent = "Address copied";
  setTimeout(() => { byId("share").textContent = "Copy address"; }, 2000);
}

async function restore() {
  const { ids, request } = readAddress();
  if (request) fillForm(request);
  if (ids.length) await open(ids);
}

async function start() {
  const kinds = await buildForm();
  setUp(actions);
  setUpList(actions, kinds);
  byId("form").addEventListener("submit", run);
  byId("form").addEventListener("input", changed);
  byId("form").addEventListener("change", changed);
  byId("share").addEventListener("click", share);
  window.addEventListener("hashchange", restore);
  document.body.dataset.ready = "yes";
  changed();
  await restore();
  await refresh();
}

start();
