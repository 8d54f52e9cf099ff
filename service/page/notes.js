// What this browser keeps of jobs: a note on each, with names and #tags, and which were removed from the list.

const NOTES = "dlnflow-notes",
  REMOVED = "dlnflow-removed",
  MOST_REMOVED = 5000;
const read = (key, empty) => JSON.parse(localStorage.getItem(key) ?? empty);
const notes = new Map(Object.entries(read(NOTES, "{}"))),
  removed = new Set(read(REMOVED, "[]"));

export const noteOf = (id) => notes.get(id) ?? "";
export const isRemoved = (id) => removed.has(id);

export function setNote(id, text) {
  if (text.trim()) notes.set(id, text.trim());
  else notes.delete(id);
  localStorage.setItem(NOTES, JSON.stringify(Object.fromEntries(notes)));
}

export function remove(id) {
  removed.add(id);
  localStorage.setItem(REMOVED, JSON.stringify([...removed].slice(-MOST_REMOVED)));
}
