// Results that follow moving settings: coarse ones at once, fine ones when the hand rests; what is overtaken is cancelled.
import { getJson, postJson, sayRefusal, send } from "./api.js";
import { finished, follow } from "./events.js";
import { curvesRequest, theoryRequest } from "./settings.js";

const COARSE = 0.05,
  FINE = 0.01; // accuracies
const PATIENCE = 1000; // milliseconds that a coarse result may take once a newer one is wanted: most do, and are seen on the way
const REST = 400; // milliseconds after which a hand rests
const SLOW = 700; // milliseconds after which a coarse result is told as it grows

// Computes for the newest settings; tells `news(settings, what)`, where `what` holds some of running (the job's record), sofar (curves
// that still grow), theory, theoryError, parts, accuracy, error.
export class Pursuit {
  constructor(news) {
    Object.assign(this, { news, wanted: null, running: null, timer: null });
  }

  // Follow to these settings; `part` is the part of the result that is looked at.
  aim(settings, part) {
    clearTimeout(this.timer);
    this.wanted = { settings, part };
    const { running } = this,
      left = running && (running.fine ? 0 : running.since + PATIENCE - performance.now());
    if (!running) this.pursue();
    else if (left <= 0) running.stop.abort();
    else running.hurry ??= setTimeout(() => running.stop.abort(), left);
  }

  async pursue() {
    while (this.wanted) {
      const { settings, part } = this.wanted;
      this.wanted = null;
      if ((await this.run(settings, part, COARSE)) && !this.wanted)
        this.timer = setTimeout(() => this.refine(settings, part), REST);
    }
  }

  async refine(settings, part) {
    if (this.running) return;
    await this.run(settings, part, FINE);
    await this.pursue();
  }

  // Says whether there is a result.
  async run(settings, part, accuracy) {
    const stop = new AbortController(),
      running = { stop, since: performance.now(), fine: accuracy === FINE };
    this.running = running;
    let theory = null;
    try {
      const asked = [...new Set(["curves", part])];
      const tell = (record, curve) => {
        const grows = curve && !running.fine && performance.now() > running.since + SLOW;
        this.news(settings, { running: record, sofar: grows ? curve : null });
      };
      const curves = compute(curvesRequest(settings, accuracy), asked, stop.signal, tell); // which is asked for first: it takes longer
      theory = this.tellTheory(settings, stop.signal);
      const parts = await curves;
      await theory;
      this.news(settings, { parts, accuracy, error: null });
      return true;
    } catch (error) {
      if (error.name === "AbortError") return false;
      await theory; // which would be taken for newer settings' later
      this.news(settings, { error: sayRefusal(error) });
      return false;
    } finally {
      clearTimeout(running.hurry);
      this.running = null;
    }
  }

  async tellTheory(settings, signal) {
    try {
      this.news(settings, { theory: await predict(theoryRequest(settings), signal), theoryError: null });
    } catch (error) {
      if (error.name !== "AbortError") this.news(settings, { theory: null, theoryError: sayRefusal(error) });
    }
  }
}

// The theory of a problem, which is there within moments: one request asks and waits.
async function predict(request, signal) {
  const record = await postJson("v1/jobs", request, { wait: 10 }); // not stopped on the way: the list of jobs has to know it
  remember(record);
  return fetchPart(await endOf(record, signal), "theory", signal);
}

// Parts of a result: the curves as soon as they are final, others when all is stored. A job that is no longer wanted is cancelled.
async function compute(request, parts, signal, tell) {
  const asked = await postJson("v1/jobs", request); // not stopped on the way: its id is needed to cancel it
  remember(asked);
  const found = {};
  let record = asked;
  try {
    for await (const news of follow(asked, signal)) {
      record = news.record;
      if (news.isFinal) found.curves = news.curve;
      tell(record, news.isFinal ? null : news.curve);
      if (finished(record) || parts.every((part) => part in found)) break;
    }
    if (record.status === "failed") throw new Error((await getJson(`v1/jobs/${record.id}`, { signal })).error.message);
    const missing = parts.filter((part) => !(part in found));
    const rest = await Promise.all(missing.map((part) => fetchPart(record, part, signal)));
    return { ...found, ...Object.fromEntries(missing.map((part, i) => [part, rest[i]])) };
  } catch (error) {
    if (error.name === "AbortError" && !finished(record)) send("DELETE", `v1/jobs/${record.id}`).catch(() => {}); // it may have ended
    throw error;
  }
}

async function endOf(record, signal) {
  for await (const news of follow(record, signal)) record = news.record;
  return record;
}

// One part of the result of a job that has ended; without one, the service says why.
const fetchPart = ({ id }, part, signal) => getJson(`v1/jobs/${id}/${part}?format=json`, { signal });

// The jobs of this browser's exploring, which the list of jobs folds away.
const KEY = "dlnflow-explored",
  MOST = 2000;
const explored = new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));

export const isExplored = (id) => explored.has(id);

// Note that exploring made a job; one that was there before was asked for elsewhere.
export function remember({ id, cache }) {
  if (cache === "miss") keep(explored.add(id));
}

// Somebody wants the job by itself.
export function unfold(id) {
  if (explored.delete(id)) keep(explored);
}

const keep = (ids) => localStorage.setItem(KEY, JSON.stringify([...ids].slice(-MOST)));
