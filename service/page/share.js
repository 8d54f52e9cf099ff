// The page's address holds the view: settings and pins of Explore, or jobs and request of the form. It alone brings all of it back.

const encode = (value) => encodeURIComponent(JSON.stringify(value));
export const exploreAddress = (state) => `#explore=${encode(state)}`;
export const jobsAddress = (ids, request) => `#jobs=${ids.join(",")}&request=${encode(request)}`;

// Write the address: as a step that Back undoes, or in place of the present one.
export function writeAddress(address, step = false) {
  if (address === location.hash) return;
  history[step ? "pushState" : "replaceState"](null, "", address);
}

export function readAddress() {
  const found = new URLSearchParams(location.hash.slice(1)),
    view = location.hash.length < 2 || found.has("explore") ? "explore" : "form";
  const ids = (found.get("jobs") || "").split(",").filter((id) => /^[\w-]{1,64}$/.test(id));
  return { view, ids, state: parse(found.get("explore")), request: parse(found.get("request")) };
}

function parse(text) {
  try {
    return JSON.parse(text || "null");
  } catch {
    return null;
  }
}
