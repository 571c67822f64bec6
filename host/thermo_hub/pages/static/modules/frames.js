// Pictures of recordings as the hub sends them one after another, and the newest of rows up to a moment.

const HEAD_BYTES = 11;
const NO_VALUE = -32768;

/** All pictures at an address, each with its moment in `utc`, ms. `shown` has their `rows` and `columns`. Where none come, `view` says why. */
export async function pictures(path, shown, view) {
  const answer = await fetch(path).catch(() => null);
  if (!answer?.ok) {
    view.stale(answer ? `The hub gave no pictures (${answer.status}); load the page again.` : "The hub does not answer; see that it runs.");
    return [];
  }
  const buffer = await answer.arrayBuffer();
  const { rows, columns } = shown;
  const each = HEAD_BYTES + 2 * rows * columns;
  const frames = [];
  for (let at = 0; at + each <= buffer.byteLength; at += each) {
    const utc = Number(new DataView(buffer).getBigUint64(at + 1, true) / 1000n) / 1000;
    const steps = new Int16Array(buffer.slice(at + HEAD_BYTES, at + each));
    const values = new Float32Array(steps.length);
    steps.forEach((step, place) => { values[place] = step === NO_VALUE ? NaN : step / 100; });
    frames.push({ ...shown, values, utc });
  }
  if (!frames.length) view.stale("There is no whole picture in this time.");
  return frames;
}

/** The last of sorted rows that is not after a moment, else the first; `of` gives the moment of a row. */
export function newest(rows, when, of) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(rows[middle]) <= when) low = middle + 1;
    else high = middle;
  }
  return rows[Math.max(0, low - 1)];
}
