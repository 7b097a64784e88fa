// The numbers of maps of attention: unpacked when first looked at, of one head or the mean of all,
// of pieces or joined to words.
class AttentionNumbers {
  constructor() {
    this.unpacked = new WeakMap();
  }

  // Shares [heads rows columns] of a view, which stand for 0 to 1 as 0 to 65535.
  shares(map, view) {
    const packed = map.views[view in map.views ? view : "weights"];
    if (!this.unpacked.has(packed)) {
      this.unpacked.set(packed, packed.lengths
        ? AttentionNumbers.byValue(map, packed.lengths) : AttentionNumbers.unpack(packed));
    }
    return this.unpacked.get(packed);
  }

  static unpack({ shape, uint16 }) {
    const raw = atob(uint16);
    const bytes = new Uint8Array(raw.length); // a loop, since from() calls a function a letter
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    return { shape, values: new Uint16Array(bytes.buffer) };
  }

  // Each weight times the length of what is taken, rows adding up to 1 again.
  static byValue(map, lengths) {
    const { shape, values } = AttentionNumbers.unpack(map.views.weights);
    const [count, rows, columns] = shape;
    const found = new Uint16Array(values.length);
    for (let head = 0; head < count; head += 1) {
      for (let row = 0; row < rows; row += 1) {
        const start = (head * rows + row) * columns;
        let total = 0;
        for (let i = 0; i < columns; i += 1) total += values[start + i] * lengths[head][i];
        const scale = total > 0 ? 65535 / total : 0;
        for (let i = 0; i < columns; i += 1) {
          found[start + i] = Math.round(values[start + i] * lengths[head][i] * scale);
        }
      }
    }
    return { shape, values: found };
  }

  // One head, or the mean of all (-1), as shares [rows columns] between the sides.
  matrix(map, view, head, down, across) {
    const { shape: [count, rows, columns], values } = this.shares(map, view);
    const size = rows * columns;
    const found = new Float32Array(size);
    const chosen = head < 0 || head >= count ? [...Array(count).keys()] : [head];
    for (const each of chosen) {
      const start = each * size;
      for (let i = 0; i < size; i += 1) found[i] += values[start + i];
    }
    for (let i = 0; i < size; i += 1) found[i] /= 65535 * chosen.length;
    if (!down.starts && !across.starts) return found;
    return AttentionNumbers.joined(found, [rows, columns], down, across);
  }

  // Pieces joined to words: the sum over columns, the mean over rows.
  static joined(shares, [rows, columns], down, across) {
    const found = new Float32Array(down.tokens.length * across.tokens.length);
    const [ofRow, ofColumn] = [wordOf(down.starts, rows), wordOf(across.starts, columns)];
    const pieces = (i) => down.starts ? down.ends[i] - down.starts[i] : 1;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        found[ofRow[row] * across.tokens.length + ofColumn[column]]
          += shares[row * columns + column] / pieces(ofRow[row]);
      }
    }
    return found;
  }
}

// Tokens of a side and, where its pieces are joined to words, where these begin and end.
function sideOf(record, name, joined) {
  const pieces = record.tokens[name];
  const starts = record.words[name];
  if (!joined || !starts) return { tokens: pieces, starts: null };
  const ends = [...starts.slice(1), pieces.length];
  return { tokens: starts.map((at, i) => pieces.slice(at, ends[i]).join("")), starts, ends };
}

// The word of each piece; without words, each piece is its own.
function wordOf(starts, length) {
  if (!starts) return [...Array(length).keys()];
  const where = [];
  for (let word = 0, i = 0; i < length; i += 1) {
    while (word + 1 < starts.length && starts[word + 1] <= i) word += 1;
    where.push(word);
  }
  return where;
}
