// What a person does with records of attention: choose a text, a layer, a head and a cell.
// Nothing is fetched, and a token is only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const { records, parts, meanings } = JSON.parse(byId("data").textContent);
  const [frame, card, heads, text] = ["frame", "card", "heads", "text"].map(byId);
  const [which, part, view, unit] = ["which", "part", "view", "unit"].map(byId);
  const board = new AttentionCanvas(frame, byId("room"), byId("map"));

  const LISTED = 10; // tokens of the list beside the map
  const THUMB = 44; // pixels of a head's small picture
  const SAMPLED = 44; // cells of it, across and down

  const state = { record: 0, layer: 0, head: -1, hovered: null, pinned: null };
  const percent = (share) => `${(100 * share).toFixed(share < .0995 ? 2 : 1)} %`;

  // ---- numbers

  function unpack({ shape, uint16 }) {
    const raw = atob(uint16);
    const bytes = new Uint8Array(raw.length); // a loop, since from() calls a function a letter
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    return { shape, values: new Uint16Array(bytes.buffer) };
  }

  const unpacked = new WeakMap(); // decoded when first looked at
  function sharesOf(map) {
    const name = view.value in map.views ? view.value : "weights";
    const packed = map.views[name];
    if (!unpacked.has(packed)) {
      unpacked.set(packed, packed.lengths ? byValue(map, packed.lengths) : unpack(packed));
    }
    return unpacked.get(packed);
  }

  // Each weight times the length of what is taken, rows adding up to 1 again.
  function byValue(map, lengths) {
    const { shape, values } = unpack(map.views.weights);
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

  // Tokens and where they begin: pieces, or words where they are known.
  function side(name) {
    const record = records[state.record];
    const pieces = record.tokens[name];
    const starts = record.words[name];
    if (unit.value !== "words" || !starts) return { tokens: pieces, starts: null };
    const ends = [...starts.slice(1), pieces.length];
    return { tokens: starts.map((at, i) => pieces.slice(at, ends[i]).join("")), starts, ends };
  }

  // One head, or the mean of all, as shares [rows columns]; pieces joined to words: the sum over
  // columns, the mean over rows.
  function matrix(map, head) {
    const { shape: [count, rows, columns], values } = sharesOf(map);
    const size = rows * columns;
    const found = new Float32Array(size);
    const chosen = head < 0 || head >= count ? [...Array(count).keys()] : [head];
    for (const each of chosen) {
      const start = each * size;
      for (let i = 0; i < size; i += 1) found[i] += values[start + i];
    }
    for (let i = 0; i < size; i += 1) found[i] /= 65535 * chosen.length;
    const [down, across] = [side(map.rows), side(map.columns)];
    if (!down.starts && !across.starts) return found;
    const joined = new Float32Array(down.tokens.length * across.tokens.length);
    const place = (starts, length) => {
      if (!starts) return [...Array(length).keys()];
      const where = [];
      for (let word = 0, i = 0; i < length; i += 1) {
        while (word + 1 < starts.length && starts[word + 1] <= i) word += 1;
        where.push(word);
      }
      return where;
    };
    const [ofRow, ofColumn] = [place(down.starts, rows), place(across.starts, columns)];
    const pieces = (i) => down.starts ? down.ends[i] - down.starts[i] : 1;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        joined[ofRow[row] * across.tokens.length + ofColumn[column]]
          += found[row * columns + column] / pieces(ofRow[row]);
      }
    }
    return joined;
  }

  // ---- what is chosen

  const mapsOf = () => records[state.record].maps.filter((map) => map.part === part.value);
  const current = () => mapsOf()[state.layer];
  const count = (map) => sharesOf(map).shape[0];

  function options(select, names, told) {
    const before = select.value;
    select.replaceChildren(...names.map((name) => {
      const option = document.createElement("option");
      option.value = name;
      option.textContent = told(name);
      return option;
    }));
    if (names.includes(before)) select.value = before;
  }

  function openRecord() {
    const record = records[state.record];
    const there = Object.keys(parts).filter((name) =>
      record.maps.some((map) => map.part === name));
    options(part, there, (name) => parts[name]);
    options(view, Object.keys(record.maps[0].views), (name) => meanings[name]);
    options(unit, Object.keys(record.words).length ? ["pieces", "words"] : ["pieces"],
      (name) => name);
    openPart();
  }

  function openPart() {
    state.layer = mapsOf().length - 1;
    state.head = -1;
    state.hovered = state.pinned = null;
    drawHeads();
    openHead();
  }

  function openHead() {
    const map = current();
    for (const button of heads.querySelectorAll("button")) {
      const chosen = +button.dataset.layer === state.layer && +button.dataset.head === state.head;
      button.setAttribute("aria-selected", chosen);
    }
    board.show(side(map.rows).tokens, side(map.columns).tokens, matrix(map, state.head));
    refresh();
  }

  // ---- small pictures of all heads

  function drawHeads() {
    const maps = mapsOf();
    const most = Math.max(...maps.map(count));
    heads.style.gridTemplateColumns = `repeat(${most + 2}, auto)`;
    heads.replaceChildren();
    maps.forEach((map, layer) => {
      const name = document.createElement("span");
      name.className = "layer";
      name.textContent = `layer ${layer}`;
      heads.append(name);
      const several = count(map) > 1;
      for (let head = 0; head < most; head += 1) {
        if (several && head < count(map)) heads.append(thumb(map, layer, head));
        else heads.append(document.createElement("span"));
      }
      heads.append(thumb(map, layer, -1));
    });
  }

  const named = (layer, head) => `layer ${layer}, ${head < 0 ? "mean" : `head ${head}`}`;

  function thumb(map, layer, head) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "option");
    button.title = `${named(layer, head)}: ${map.path}`;
    button.setAttribute("aria-label", named(layer, head));
    button.tabIndex = -1;
    button.className = head < 0 ? "mean" : "";
    Object.assign(button.dataset, { layer, head });
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = THUMB;
    button.append(canvas);
    paint(canvas, map, head);
    button.addEventListener("click", () => {
      [state.layer, state.head] = [layer, head];
      openHead();
    });
    return button;
  }

  // The largest share of each patch, so that thin lines of long texts are seen.
  function paint(canvas, map, head) {
    const { shape: [number, rows, columns], values } = sharesOf(map);
    const pen = canvas.getContext("2d");
    const [down, across] = [Math.min(SAMPLED, rows), Math.min(SAMPLED, columns)];
    const patches = new Float32Array(down * across);
    const chosen = head < 0 ? [...Array(number).keys()] : [head];
    for (const each of chosen) {
      for (let row = 0; row < rows; row += 1) {
        const start = each * rows * columns + row * columns;
        const patch = Math.floor(row * down / rows) * across;
        for (let column = 0; column < columns; column += 1) {
          const at = patch + Math.floor(column * across / columns);
          patches[at] = Math.max(patches[at], values[start + column]);
        }
      }
    }
    const top = patches.reduce((a, b) => Math.max(a, b), 1);
    pen.fillStyle = "#3a7bd5";
    patches.forEach((share, i) => {
      pen.globalAlpha = Math.sqrt(share / top);
      pen.fillRect(i % across * THUMB / across, Math.floor(i / across) * THUMB / down,
        Math.ceil(THUMB / across), Math.ceil(THUMB / down));
    });
  }

  heads.addEventListener("keydown", (event) => {
    const maps = mapsOf();
    const several = count(current()) > 1;
    const moves = {
      ArrowLeft: () => { if (several) state.head = Math.max(state.head - 1, -1); },
      ArrowRight: () => { if (several) state.head = Math.min(state.head + 1, count(current()) - 1); },
      ArrowUp: () => { state.layer = Math.max(state.layer - 1, 0); },
      ArrowDown: () => { state.layer = Math.min(state.layer + 1, maps.length - 1); },
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    moves[event.key]();
    openHead();
  });

  // ---- the chosen cell

  function refresh() {
    const chosen = state.hovered || state.pinned;
    board.chosen = chosen;
    board.request();
    tell(chosen);
    colour(chosen);
  }

  function add(parent, tag, content) {
    const element = document.createElement(tag);
    if (content !== undefined) element.textContent = content;
    parent.append(element);
    return element;
  }

  function tell(chosen) {
    const map = current();
    card.replaceChildren();
    add(card, "h2", named(state.layer, count(map) > 1 ? state.head : -1));
    if (!chosen) {
      add(card, "p", "Point at a cell, or move to one with the arrow keys.");
      return;
    }
    const [row, column] = chosen;
    const { rows, columns, weights } = board;
    const sentence = add(card, "p");
    add(sentence, "bdi", rows[row]);
    sentence.append(" looks at ");
    add(sentence, "bdi", columns[column]);
    sentence.append(`: ${percent(weights[row * columns.length + column])}`);
    const order = columns.map((_, i) => i)
      .sort((a, b) => weights[row * columns.length + b] - weights[row * columns.length + a]);
    const list = add(card, "ol");
    for (const each of order.slice(0, LISTED)) {
      const item = add(list, "li");
      add(item, "bdi", columns[each]);
      item.append(` ${percent(weights[row * columns.length + each])}`);
    }
    detail(map, row, column);
  }

  // Query, key, value and score of a cell, where the record has them and pieces are shown.
  function detail(map, row, column) {
    const { query, key, value, scores } = map.details;
    if (!query || unit.value === "words") return;
    if (state.head < 0 && query.shape[0] > 1) {
      add(card, "p", "Choose one head to see query, key and value.");
      return;
    }
    const head = Math.max(state.head, 0);
    const vector = (array, at) => {
      const [number, length, width] = array.shape;
      const group = Math.floor(head * number / query.shape[0]);
      const start = (group * length + at) * width;
      return array.values.slice(start, start + width);
    };
    const [, , columns] = scores.shape;
    const score = scores.values[(head * scores.shape[1] + row) * columns + column];
    add(card, "p", `score ${score.toFixed(3)}`);
    const [asked, offered, taken] = [vector(query, row), vector(key, column), vector(value, column)];
    const bars = add(card, "div");
    bars.className = "bars";
    bar(bars, "query", asked);
    bar(bars, "key", offered);
    if (asked.length === offered.length) {
      bar(bars, "products", asked.map((number, i) => number * offered[i]));
    }
    bar(bars, "value", taken);
  }

  function bar(parent, name, numbers) {
    add(parent, "span", name);
    const canvas = add(parent, "canvas");
    canvas.width = 220;
    canvas.height = 34;
    const listed = numbers.map((number) => number.toFixed(2)).join(", ");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}: ${listed}`);
    canvas.title = listed;
    const pen = canvas.getContext("2d");
    const top = numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 1e-9);
    const width = canvas.width / numbers.length;
    numbers.forEach((number, i) => {
      pen.fillStyle = number < 0 ? "#d9661f" : "#3a7bd5";
      const height = Math.abs(number) / top * 16;
      pen.fillRect(i * width, number < 0 ? 17 : 17 - height, Math.max(width - 1, 1), height);
    });
  }

  // The tokens that are looked at, as a text; the token that looks is framed where it is among them.
  function colour(chosen) {
    const map = current();
    const row = chosen ? chosen[0] : -1;
    const { columns, weights } = board;
    const key = [state.record, part.value, unit.value].join();
    if (text.dataset.key !== key) {
      text.dataset.key = key;
      text.replaceChildren(...columns.map((token, i) => {
        const span = document.createElement("span");
        span.textContent = token.replace(/^▁/, " ");
        span.dataset.column = i;
        return span;
      }));
    }
    const top = row < 0 ? 1 : columns.reduce(
      (most, _, i) => Math.max(most, weights[row * columns.length + i]), 1e-9);
    [...text.children].forEach((span, i) => {
      const share = row < 0 ? 0 : weights[row * columns.length + i] / top;
      span.style.backgroundColor = share < .01 ? "" : `rgba(58, 123, 213, ${(.75 * share).toFixed(3)})`;
      span.classList.toggle("looks", map.rows === map.columns && i === row);
    });
  }

  text.addEventListener("click", (event) => {
    const column = event.target.dataset.column;
    if (column === undefined) return;
    const map = current();
    const row = map.rows === map.columns ? +column : (state.pinned || [0])[0];
    pin([row, +column]);
  });

  function pin(cell) {
    state.pinned = cell;
    state.hovered = null;
    if (cell) board.reveal(cell);
    refresh();
  }

  // ---- pointer and keys

  const place = (event) => {
    const box = frame.getBoundingClientRect();
    return board.at(event.clientX - box.left - frame.clientLeft,
      event.clientY - box.top - frame.clientTop);
  };
  frame.addEventListener("pointermove", (event) => {
    const cell = place(event);
    if (String(cell) === String(state.hovered)) return;
    state.hovered = cell;
    refresh();
  });
  frame.addEventListener("pointerleave", () => { state.hovered = null; refresh(); });
  frame.addEventListener("click", (event) => pin(place(event)));
  frame.addEventListener("keydown", (event) => {
    const [row, column] = state.pinned || [0, -1];
    const [lastRow, lastColumn] = [board.rows.length - 1, board.columns.length - 1];
    const within = (value, most) => Math.min(Math.max(value, 0), most);
    const cells = {
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      Home: [row, 0], End: [row, lastColumn],
    };
    if (event.key in cells) {
      event.preventDefault();
      const [down, across] = cells[event.key];
      pin([within(down, lastRow), within(across, lastColumn)]);
    } else if (event.key === "+" || event.key === "=") board.zoom(1);
    else if (event.key === "-") board.zoom(-1);
    else if (event.key === "Escape") pin(null);
  });
  byId("closer").addEventListener("click", () => board.zoom(1));
  byId("farther").addEventListener("click", () => board.zoom(-1));
  if (which) which.addEventListener("change", () => { state.record = +which.value; openRecord(); });
  part.addEventListener("change", openPart);
  view.addEventListener("change", () => { drawHeads(); openHead(); });
  unit.addEventListener("change", () => { state.pinned = null; openHead(); });

  openRecord();
})();
