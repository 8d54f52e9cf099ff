// Requests to the service: keys, refusals as exceptions, and outages that are said and waited out.

export class Refusal extends Error {
  constructor(status, document) {
    super(document.detail || document.title || `the service answered ${status}`);
    Object.assign(this, { status, code: document.code, field: document.field, hint: document.hint });
  }
}

export const sayRefusal = (error) => [error.message, error.hint].filter(Boolean).join(" ");

const banner = document.getElementById("banner");
const keyForm = document.getElementById("key");
let asked = null,
  keyGiven = null; // one question for all requests that wait for a key

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("dlnflow-key", document.getElementById("key-value").value);
  keyForm.hidden = true;
  keyGiven?.();
});

export function headers(extra = {}) {
  const key = sessionStorage.getItem("dlnflow-key");
  return key ? { Authorization: `Bearer ${key}`, ...extra } : extra;
}

// Every request: asks for a key where one is needed, and tries again, visibly, while the service cannot be reached.
export async function send(method, path, { body, file, accept = "application/json", signal, wait } = {}) {
  for (let attempt = 0; ; attempt++) {
    const answer = await attemptOnce(
      method,
      path,
      file ?? (body === undefined ? undefined : JSON.stringify(body)),
      file ? "application/octet-stream" : "application/json",
      accept,
      signal,
      wait,
    );
    if (answer?.status === 401) await askForKey();
    else if (answer && ![502, 503, 504].includes(answer.status)) {
      banner.hidden = true;
      if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
      return answer;
    } else {
      const seconds = Math.min(10, 1 + attempt);
      banner.textContent = `The service cannot be reached at the moment; trying again every ${seconds} s. What was submitted goes on.`;
      banner.hidden = false;
      await pause(seconds, signal);
    }
  }
}

export const getJson = async (path, options) => (await send("GET", path, options)).json();
export const postJson = async (path, body, options) => (await send("POST", path, { body, ...options })).json();

async function attemptOnce(method, path, body, type, accept, signal, wait) {
  const extra = {
    Accept: accept,
    ...(body === undefined ? {} : { "Content-Type": type }),
    ...(wait ? { Prefer: `wait=${wait}` } : {}),
  };
  try {
    return await fetch(path, { method, headers: headers(extra), body, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}

function askForKey() {
  if (sessionStorage.getItem("dlnflow-key")) keyForm.querySelector("label").textContent = "This key is not known here";
  keyForm.hidden = false;
  document.getElementById("key-value").focus();
  return (asked ??= new Promise((resolve) => {
    keyGiven = () => {
      asked = null;
      resolve();
    };
  }));
}

export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(new DOMException("stopped", "AbortError"));
      },
      { once: true },
    );
  });
}

export async function download(path, name) {
  save(await (await send("GET", path, { accept: "*/*" })).blob(), name);
}

export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
