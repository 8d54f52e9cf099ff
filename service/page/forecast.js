// How long jobs take: predicted before they run, revised while they run, and always as a range.

export const UNCERTAIN = 2; // most jobs take between half and twice as long as predicted
const EARLY = { seconds: 3, progress: 0.05 }; // before which progress says little about the end

const say = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`);

const sayBetween = (low, high) => (say(low) === say(high) ? say(high) : `${say(low)} to ${say(high)}`);

export const sayRange = (seconds) =>
  seconds < 1 ? "a second or two" : sayBetween(seconds / UNCERTAIN, seconds * UNCERTAIN);

// What a job is predicted to take: an answer of /v1/estimate in words.
export function sayCost({ seconds, memory_bytes }) {
  return `${sayRange(seconds)}, ${Math.ceil(memory_bytes / 1e6)} MB`;
}

// What is left of a running job: by how far it has come, or by what was predicted as long as that says more. `now` in milliseconds.
export function sayLeft({ status, progress, started_at: start }, predicted = null, now = Date.now()) {
  if (status !== "running" || !start) return "";
  const seconds = Math.max(0, now - new Date(start)) / 1000;
  if (seconds > EARLY.seconds && progress > EARLY.progress && progress < 1) {
    return `${sayRange((seconds * (1 - progress)) / progress)} left`;
  }
  if (predicted === null) return "";
  const [low, high] = [predicted / UNCERTAIN - seconds, predicted * UNCERTAIN - seconds];
  if (high < 0) return `longer than predicted (${sayRange(predicted)})`;
  return high < 2 ? "" : `${sayBetween(Math.max(1, low), high)} left`;
}
