// A search as a tree: what is shown of it, and what one chooses in it. Nothing is fetched, and a
// token is only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const tree = JSON.parse(byId("data").textContent);
  const [frame, svg, card, level] = ["frame", "tree", "card", "level"].map(byId);
  const layout = new BeamLayout(tree);

  const SIZES = [[12, 26], [22, 92], [38, 118], [46, 156]]; // height and width of a token's place
  const LABELLED = 1; // the smallest size with names
  const TWO_LINES = 2; // and with figures below them
  const ABOVE = 22; // for the numbers of steps
  const EDGE = 14; // between a place's left edge and its name
  const LETTERS = { beam: "", greedy: "G", sample: "S", forced: "F" };
  const WAYS = Object.keys(LETTERS);
  const MOST = .7; // of the window's height
  const BESIDE = 4; // pixels between the lines of two ways
  const LISTED = 12; // continuations of the card

  const there = WAYS.filter((way) => tree.outputs.some((output) => output.way === way));
  const shifts = Object.fromEntries(
    there.map((way, i) => [way, BESIDE * (i - (there.length - 1) / 2)]));

  const state = {
    size: TWO_LINES, hovered: -1, pinned: -1, opened: new Set(), ways: new Set(), waiting: false,
  };

  // ---- what is shown

  function ways() {
    const off = [...document.querySelectorAll("input.way:not(:checked)")].map((box) => box.value);
    return new Set(WAYS.filter((way) => !off.includes(way)));
  }

  function rearrange() {
    state.ways = ways();
    layout.shown(state.ways, level.value, state.opened);
    for (const name of ["hovered", "pinned"]) if (!layout.row.has(state[name])) state[name] = -1;
    resize();
    tell();
  }

  function resize() {
    const [height, width] = SIZES[state.size];
    svg.setAttribute("width", layout.columns.length * width + 60);
    const whole = ABOVE + layout.rows * height + 12;
    svg.setAttribute("height", whole);
    frame.style.height = `${Math.min(whole + 20, MOST * window.innerHeight)}px`;
    request();
  }

  function zoom(by) {
    const size = Math.min(Math.max(state.size + by, 0), SIZES.length - 1);
    if (size === state.size) return;
    const ratio = SIZES[size].map((side, i) => side / SIZES[state.size][i]);
    state.size = size;
    resize();
    frame.scrollTop *= ratio[0];
    frame.scrollLeft *= ratio[1];
  }

  const hidden = (node) => layout.children[node].length - layout.visible[node].length;

  function toggle(node) {
    if (!layout.children[node].length) return;
    if (state.opened.has(node)) state.opened.delete(node);
    else state.opened.add(node);
    rearrange();
  }

  // ---- drawing: only the columns that are seen

  function request() {
    if (state.waiting) return;
    state.waiting = true;
    requestAnimationFrame(() => { state.waiting = false; draw(); });
  }

  function make(parent, name, attributes, content) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (content !== undefined) element.textContent = content;
    parent.append(element);
    return element;
  }

  // Left edge of a node and the middle of its first line, where its sign and its links are.
  const place = (node) => {
    const [height, width] = SIZES[state.size];
    const middle = ABOVE + (layout.row.get(node) + .5) * height;
    return [layout.depth[node] * width + 8, state.size < TWO_LINES ? middle : middle - 7];
  };

  function draw() {
    const [height, width] = SIZES[state.size];
    const first = Math.max(Math.floor(frame.scrollLeft / width) - 1, 0);
    const last = Math.ceil((frame.scrollLeft + frame.clientWidth) / width) + 1;
    const top = (frame.scrollTop - ABOVE) / height - 2;
    const bottom = top + frame.clientHeight / height + 4;
    const seen = layout.columns.slice(first, last + 1).flat();
    const inside = (node) => layout.row.get(node) >= top && layout.row.get(node) <= bottom;
    const drawn = [make(svg, "g", {}), make(svg, "g", {}), make(svg, "g", {})];
    const chosen = new Set(layout.path(current()));
    for (const node of seen) {
      const parent = tree.parent[node];
      if (parent >= 0 && (inside(node) || inside(parent) || outerRows(node, top, bottom))) {
        link(drawn[0], node, parent, chosen.has(node));
      }
      if (inside(node)) token(drawn[1], node);
    }
    make(drawn[2], "rect", {
      class: "steps", x: first * width, y: frame.scrollTop, width: (last - first + 2) * width,
      height: ABOVE - 2,
    });
    for (let step = Math.max(first, 1); step <= last && step < layout.columns.length; step += 1) {
      if (state.size < LABELLED && step % 5) continue;
      make(drawn[2], "text", { x: step * width + 8, y: frame.scrollTop + 11, class: "small" }, step);
    }
    svg.replaceChildren(...drawn);
  }

  // A link that passes the window from above to below it.
  const outerRows = (node, top, bottom) =>
    layout.row.get(tree.parent[node]) < top && layout.row.get(node) > bottom;

  function link(parent, node, from, chosen) {
    const [x, y] = place(node);
    const [startX, startY] = place(from);
    const begin = startX + (state.size < LABELLED ? 8 : EDGE + measure(from) + 4);
    const end = x - 3;
    const turn = Math.max(end - 24, begin);
    const line = (shift) => `M ${begin} ${startY + shift} H ${turn} `
      + `C ${turn + 12} ${startY + shift} ${end - 12} ${y + shift} ${end} ${y + shift}`;
    if (chosen) make(parent, "path", { d: line(0), class: "chosen" });
    const own = WAYS.filter((way) => state.ways.has(way)
      && layout.outputs[node].some((number) => tree.outputs[number].way === way));
    if (!own.length) make(parent, "path", { d: line(0), class: tree.fate[node] });
    for (const way of own) make(parent, "path", { d: line(shifts[way]), class: way });
  }

  function name(node) {
    if (node === 0) return "";
    const most = Math.floor((SIZES[state.size][1] - EDGE - 34) / 7.5);
    let room = most;
    let text = "";
    for (const letter of tree.token[node]) {
      room -= letter.codePointAt(0) > 0x2e80 ? 2 : 1;
      if (room < 0) return `${text.slice(0, -1)}…`;
      text += letter;
    }
    return text;
  }

  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "13px system-ui, sans-serif";
  function measure(node) {
    if (state.size < LABELLED) return 0;
    return pen.measureText(name(node)).width + (hidden(node) ? 22 : 0) + 20 * tags(node).length;
  }

  function tags(node) {
    return tree.outputs.filter((output) => output.node === node && state.ways.has(output.way))
      .map(({ way, name: told }) => LETTERS[way] + (told.match(/\d+$/) || [""])[0]);
  }

  function token(parent, node) {
    const [x, y] = place(node);
    const [height, width] = SIZES[state.size];
    const fate = tree.fate[node] || "unseen";
    const group = make(parent, "g", {
      class: `node ${fate}${node === current() ? " chosen" : ""}`, "data-node": node,
    });
    const top = ABOVE + layout.row.get(node) * height + 1;
    make(group, "rect", { class: "back", x: x - 2, y: top, width: width - 20, height: height - 2, rx: 4 });
    sign(group, fate, x + 5, y);
    if (state.size < LABELLED) return;
    make(group, "text", { x: x + EDGE, y, class: "name" }, name(node));
    let at = x + EDGE + pen.measureText(name(node)).width + 5;
    for (const tag of tags(node)) {
      const box = make(group, "g", { class: "tag" });
      make(box, "rect", { x: at, y: y - 8, width: 17, height: 16, rx: 3 });
      make(box, "text", { x: at + 8.5, y: y + 1 }, tag);
      at += 20;
    }
    if (hidden(node)) make(group, "text", { x: at, y, class: "small" }, `+${hidden(node)}`);
    if (state.size >= TWO_LINES && node > 0) {
      const figures = `${tree.gain[node].toFixed(2)} · ${tree.score[node].toFixed(2)}`;
      make(group, "text", { x: x + EDGE, y: y + 16, class: "small" }, figures);
    }
  }

  // Fates differ in form and not by colour alone.
  function sign(parent, fate, x, y) {
    const cross = `M ${x - 4} ${y - 4} L ${x + 4} ${y + 4} M ${x - 4} ${y + 4} L ${x + 4} ${y - 4}`;
    if (fate === "kept") make(parent, "circle", { class: "sign", cx: x, cy: y, r: 4 });
    else if (fate === "finished" || fate === "cut") {
      make(parent, "rect", { class: "sign", x: x - 4, y: y - 4, width: 8, height: 8 });
    } else if (fate === "pruned") make(parent, "path", { class: "sign", d: cross });
    else if (fate === "forbidden") {
      make(parent, "circle", { class: "sign", cx: x, cy: y, r: 5 });
      make(parent, "path", { class: "sign", d: `M ${x - 3.5} ${y + 3.5} L ${x + 3.5} ${y - 3.5}` });
    } else {
      const diamond = `M ${x} ${y - 5} L ${x + 5} ${y} L ${x} ${y + 5} L ${x - 5} ${y} Z`;
      make(parent, "path", { class: "sign", d: diamond });
    }
  }

  // ---- the chosen hypothesis

  const current = () => state.hovered >= 0 ? state.hovered : state.pinned;

  function add(parent, tag, content) {
    const element = document.createElement(tag);
    if (content !== undefined) element.textContent = content;
    parent.append(element);
    return element;
  }

  const percent = (node) => `${(100 * Math.exp(tree.gain[node])).toPrecision(3)} %`;

  function tell() {
    const node = current();
    card.replaceChildren();
    if (node < 0) {
      add(card, "p", "Point at a token, or move to one with the arrow keys.");
      return;
    }
    const title = add(card, "h2");
    add(title, "bdi", node ? tree.token[node] : "the beginning");
    if (node) {
      add(card, "p", `Step ${layout.depth[node]}: log-probability ${tree.gain[node].toFixed(3)} `
        + `(${percent(node)}), so far ${tree.total[node].toFixed(3)}, `
        + `score ${tree.score[node].toFixed(3)}.`);
      add(card, "p", `${tree.why[node][0].toUpperCase()}${tree.why[node].slice(1)}.`);
      const names = layout.outputs[node].map((number) => tree.outputs[number].name);
      if (names.length) add(card, "p", `On the way of ${names.join(", ")}.`);
      const text = add(card, "p");
      text.dir = "auto";
      add(text, "bdi", layout.path(node).map((each) => tree.piece[each]).join("")
        .replaceAll("▁", " ").trim());
    }
    if (layout.children[node].length) list(node);
  }

  function list(node) {
    const table = add(card, "table");
    for (const child of layout.children[node].slice(0, LISTED)) {
      const row = add(table, "tr");
      add(add(row, "td"), "bdi", tree.token[child]);
      add(row, "td", percent(child));
      const bar = add(add(row, "td"), "div");
      bar.className = "bar";
      bar.style.width = `${4 * Math.exp(tree.gain[child])}rem`;
      add(row, "td", tree.fate[child] || "not looked at");
    }
    const more = layout.children[node].length - LISTED;
    if (more > 0) add(card, "p", `and ${more} more`);
    if (!hidden(node) && !state.opened.has(node)) return;
    const button = add(card, "button", state.opened.has(node) ? "Close" : `Show all ${layout.children[node].length}`);
    button.type = "button";
    button.addEventListener("click", () => toggle(node));
  }

  function pin(node) {
    state.pinned = node;
    state.hovered = -1;
    if (node >= 0) reveal(node);
    request();
    tell();
  }

  // Scroll until a node is seen.
  function reveal(node) {
    const [height, width] = SIZES[state.size];
    const [x, y] = place(node);
    if (x - width < frame.scrollLeft) frame.scrollLeft = x - width;
    if (x + width > frame.scrollLeft + frame.clientWidth) {
      frame.scrollLeft = x + width - frame.clientWidth;
    }
    if (y - height < frame.scrollTop + ABOVE) frame.scrollTop = y - height - ABOVE;
    if (y + height > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = y + height - frame.clientHeight;
    }
  }

  // ---- pointer and keys

  const nodeOf = (event) => {
    const group = event.target.closest("g.node");
    return group ? Number(group.dataset.node) : -1;
  };
  svg.addEventListener("pointermove", (event) => {
    const node = nodeOf(event);
    if (node === state.hovered) return;
    state.hovered = node;
    request();
    tell();
  });
  svg.addEventListener("pointerleave", () => { state.hovered = -1; request(); tell(); });
  svg.addEventListener("click", (event) => pin(nodeOf(event)));
  svg.addEventListener("dblclick", (event) => { if (nodeOf(event) >= 0) toggle(nodeOf(event)); });
  frame.addEventListener("keydown", (event) => {
    const from = Math.max(state.pinned, 0);
    const moves = {
      ArrowRight: () => layout.visible[from][0] ?? from,
      ArrowLeft: () => Math.max(tree.parent[from], 0),
      ArrowUp: () => layout.beside(from, -1),
      ArrowDown: () => layout.beside(from, 1),
      Home: () => 0,
      End: () => layout.end(from),
    };
    if (event.key in moves) pin(moves[event.key]());
    else if (event.key === "Enter") toggle(from);
    else if (event.key === "+" || event.key === "=") zoom(1);
    else if (event.key === "-") zoom(-1);
    else if (event.key === "Escape") pin(-1);
    else return;
    event.preventDefault();
  });
  frame.addEventListener("scroll", request);
  new ResizeObserver(request).observe(frame);
  byId("closer").addEventListener("click", () => zoom(1));
  byId("farther").addEventListener("click", () => zoom(-1));
  level.addEventListener("change", rearrange);
  for (const box of document.querySelectorAll("input.way")) box.addEventListener("change", rearrange);
  for (const button of document.querySelectorAll("#outputs button")) {
    button.addEventListener("click", () => {
      const node = Number(button.dataset.node);
      if (!layout.row.has(node)) {
        for (const box of document.querySelectorAll("input.way")) box.checked = true;
        rearrange();
      }
      pin(node);
    });
  }

  rearrange();
})();
