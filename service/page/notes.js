// What this browser keeps of jobs: a note on each, with names and #tags.

const KEY = "dlnflow-notes";
const notes = new Map(Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}")));

export const noteOf = (id) => notes.get(id) ?? "";

export function setNote(id, text) {
  if (text.trim()) notes.set(id, text.trim());
  else notes.delete(id);
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(notes)));
}
