// How long jobs take: predicted before they run, revised while they run, and always as a range.

const UNCERTAIN = 2; // of what progress alone says
const EARLY = { seconds: 3, progress: 0.05 }; // before which progress says little about the end

const say = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`);

const sayBetween = (low, high) => (say(low) === say(high) ? say(high) : `${say(low)} to ${say(high)}`);

export const sayRange = ([low, high]) => (high < 2 ? "a second or two" : sayBetween(low, high));

const sayAround = (seconds) => sayRange([seconds / UNCERTAIN, seconds * UNCERTAIN]);

// What a job is predicted to take: an answer of /v1/estimate in words.
export function sayCost({ seconds_range, memory_bytes }) {
  return `${sayRange(seconds_range)}, ${Math.ceil(memory_bytes / 1e6)} MB`;
}

// What is left of a running job: as its solver expects it, or by how far it has come, or by what was predicted as long as that says
// more. `now` in milliseconds.
export function sayLeft({ status, progress, seconds_left: told, started_at: start }, predicted = null, now = Date.now()) {
  if (status !== "running" || !start) return "";
  if (told) return `about ${say(told)} left`;
  const seconds = Math.max(0, now - new Date(start)) / 1000;
  if (seconds > EARLY.seconds && progress > EARLY.progress && progress < 1) {
    return `${sayAround((seconds * (1 - progress)) / progress)} left`;
  }
  if (predicted === null) return "";
  const [low, high] = [predicted / UNCERTAIN - seconds, predicted * UNCERTAIN - seconds];
  if (high < 0) return `longer than predicted (${sayAround(predicted)})`;
  return high < 2 ? "" : `${sayBetween(Math.max(1, low), high)} left`;
}
