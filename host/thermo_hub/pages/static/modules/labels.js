// Places for short texts upon a picture: each where it first fits, within the picture and beside those that stand already.

const WIDE = 0.62; // width of a character, in heights of the text
const APART = 0.12; // between two texts, in units of the drawing

export class Labels {
  constructor(width, height) {
    [this.width, this.height] = [width, height];
    this.taken = [];
  }

  /** The first of some places [x, y of the base line, anchor] at which a text fits, which is taken by it; null where it fits nowhere. */
  place(text, size, places) {
    for (const place of places) {
      const [left, top, right, bottom] = box(text, size, place);
      if (left < 0 || top < 0 || right > this.width || bottom > this.height) continue;
      if (this.taken.some(([l, t, r, b]) => left < r + APART && l < right + APART && top < b + APART && t < bottom + APART)) continue;
      this.taken.push([left, top, right, bottom]);
      return place;
    }
    return null;
  }
}

function box(text, size, [x, y, anchor]) {
  const width = WIDE * size * text.length;
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  return [left, y - size, left + width, y + 0.25 * size];
}
