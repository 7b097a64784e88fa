// What a person does with records of attention: choose a text, a layer, a head and a cell.
// Nothing is fetched, and a token is only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const { records, parts, meanings } = JSON.parse(byId("data").textContent);
  const [card, heads, text] = ["card", "heads", "text"].map(byId);
  const [which, part, view, unit] = ["which", "part", "view", "unit"].map(byId);
  const numbers = new AttentionNumbers();

  const LISTED = 10; // tokens of the list beside the map
  const LEGIBLE = 120; // cells across up to which labels come before seeing the whole map

  const state = { record: 0, layer: 0, head: -1, weights: new Float32Array(0), top: 1 };
  const board = new CellCanvas(paint, refresh, LEGIBLE);
  const percent = (share) => `${(100 * share).toFixed(share < .0995 ? 2 : 1)} %`;

  // ---- what is chosen

  const side = (name) => sideOf(records[state.record], name, unit.value === "words");
  const mapsOf = () => records[state.record].maps.filter((map) => map.part === part.value);
  const current = () => mapsOf()[state.layer];
  const count = (map) => numbers.shares(map, view.value).shape[0];

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
    drawHeads();
    board.forget();
    openHead();
  }

  function openHead() {
    const map = current();
    for (const button of heads.querySelectorAll("button")) {
      const chosen = +button.dataset.layer === state.layer && +button.dataset.head === state.head;
      button.setAttribute("aria-selected", chosen);
    }
    const [down, across] = [side(map.rows), side(map.columns)];
    state.weights = numbers.matrix(map, view.value, state.head, down, across);
    state.top = state.weights.reduce((a, b) => Math.max(a, b), 1e-9);
    board.show(down.tokens, across.tokens);
    refresh(board.chosen);
  }

  function paint(pen, row, column, x, y, size) {
    const share = state.weights[row * board.columns.length + column] / state.top;
    if (share < .004) return;
    pen.fillStyle = BLUE;
    pen.globalAlpha = Math.sqrt(share);
    pen.fillRect(x, y, size, size);
    pen.globalAlpha = 1;
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
    button.append(pictureOfHead(numbers.shares(map, view.value), head));
    button.addEventListener("click", () => {
      [state.layer, state.head] = [layer, head];
      openHead();
    });
    return button;
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

  function refresh(chosen) {
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
    const { rows, columns } = board;
    const { weights } = state;
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
    if (map.detailed) {
      add(card, "p", `Queries, keys, values and scores are in the record (.json): a page holds those `
        + `of up to ${map.detailed} tokens.`);
    }
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
    const bar = (name, each) => {
      add(bars, "span", name);
      bars.append(pictureOfVector(name, each));
    };
    bar("query", asked);
    bar("key", offered);
    if (asked.length === offered.length) {
      bar("products", asked.map((number, i) => number * offered[i]));
    }
    bar("value", taken);
  }

  // The tokens that are looked at, as a text; the token that looks is framed where it is among them.
  function colour(chosen) {
    const map = current();
    const row = chosen ? chosen[0] : -1;
    const { columns } = board;
    const { weights } = state;
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
    const row = map.rows === map.columns ? +column : (board.pinned || [0])[0];
    board.pin([row, +column]);
  });

  if (which) which.addEventListener("change", () => { state.record = +which.value; openRecord(); });
  part.addEventListener("change", openPart);
  view.addEventListener("change", () => { drawHeads(); openHead(); });
  unit.addEventListener("change", () => { board.forget(); openHead(); });

  openRecord();
})();
