// A job as it goes on: server-sent events where they get through, a look every second where not.
import { getJson, headers, pause, Refusal } from "./api.js";

export const finished = (record) => ["succeeded", "failed", "cancelled"].includes(record.status);

// What happens to a job until it has finished, as { record, curve, isFinal }: its record as far as it is known, and its curves where there is
// news of them. EventSource cannot send a key, so the stream is read by hand; whoever leaves the loop ends it.
export async function* follow(record, signal) {
  let lastId = null,
    events = true;
  yield { record };
  while (!finished(record)) {
    try {
      if (events) {
        for await (const event of stream(record.id, lastId, signal)) {
          lastId = event.id || lastId;
          if (event.name === "progress" || event.name === "done") record = { ...record, ...pick(event.data) };
          const curve = ["preview", "curve"].includes(event.name) && event.data.time ? event.data : null;
          yield { record, curve, isFinal: event.name === "curve" };
          if (event.name === "done") break;
        }
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (error instanceof Refusal) events = false;
    }
    record = await getJson(`v1/jobs/${record.id}`, { signal });
    yield { record };
    if (!finished(record)) await pause(1, signal);
  }
}

function pick({ status, progress, message, seconds_left }) {
  const told = { status, progress, message, seconds_left };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}

async function* stream(id, lastId, signal) {
  const extra = lastId ? { "Last-Event-ID": lastId } : {};
  const answer = await fetch(`v1/jobs/${id}/events`, {
    headers: headers({ Accept: "text/event-stream", ...extra }),
    signal,
  });
  if (!answer.ok || !(answer.headers.get("Content-Type") || "").startsWith("text/event-stream"))
    throw new Refusal(answer.status, {});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text = (text + value).replaceAll("\r\n", "\n");
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(block) {
  const event = { name: "message", id: null, data: [] };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const [field, value] = colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    if (field === "event") event.name = value;
    if (field === "id") event.id = value;
    if (field === "data") event.data.push(value);
  }
  return event.data.length ? { ...event, data: JSON.parse(event.data.join("\n")) } : null;
}
