// A search as a tree of SVG elements. Only what is in the window is drawn: `frame` scrolls, and holds
// `svg`, which is as large as the whole tree.
class BeamDrawing {
  static SIZES = [[12, 26], [22, 92], [38, 118], [46, 156]]; // height and width of a token's place
  static LABELLED = 1; // the smallest size with names
  static TWO_LINES = 2; // and with figures below them
  static ABOVE = 22; // for the numbers of steps
  static EDGE = 14; // between a place's left edge and its name
  static BESIDE = 4; // pixels between the lines of two ways
  static MOST = .7; // of the window's height
  static LETTERS = { beam: "", greedy: "G", sample: "S", forced: "F" };
  static WAYS = Object.keys(BeamDrawing.LETTERS);

  constructor(tree, layout, frame, svg) {
    Object.assign(this, { tree, layout, frame, svg });
    this.chosen = -1; // a node
    this.ways = new Set(); // those whose lines are drawn
    this.size = BeamDrawing.TWO_LINES;
    this.waiting = false;
    this.pen = document.createElement("canvas").getContext("2d");
    this.pen.font = "13px system-ui, sans-serif";
    const there = BeamDrawing.WAYS.filter((way) => tree.outputs.some((output) => output.way === way));
    this.shifts = Object.fromEntries(
      there.map((way, i) => [way, BeamDrawing.BESIDE * (i - (there.length - 1) / 2)]));
    frame.addEventListener("scroll", () => this.request());
    new ResizeObserver(() => this.request()).observe(frame);
  }

  // ---- size and place

  resize() {
    const { layout, frame, svg } = this;
    const [height, width] = BeamDrawing.SIZES[this.size];
    svg.setAttribute("width", layout.columns.length * width + 60);
    const whole = BeamDrawing.ABOVE + layout.rows * height + 12;
    svg.setAttribute("height", whole);
    frame.style.height = `${Math.min(whole + 20, BeamDrawing.MOST * window.innerHeight)}px`;
    this.request();
  }

  zoom(by) {
    const size = Math.min(Math.max(this.size + by, 0), BeamDrawing.SIZES.length - 1);
    if (size === this.size) return;
    const ratio = BeamDrawing.SIZES[size].map((side, i) => side / BeamDrawing.SIZES[this.size][i]);
    this.size = size;
    this.resize();
    this.frame.scrollTop *= ratio[0];
    this.frame.scrollLeft *= ratio[1];
  }

  // Left edge of a node and the middle of its first line, where its sign and its links are.
  place(node) {
    const [height, width] = BeamDrawing.SIZES[this.size];
    const middle = BeamDrawing.ABOVE + (this.layout.row.get(node) + .5) * height;
    const left = this.layout.depth[node] * width + 8;
    return [left, this.size < BeamDrawing.TWO_LINES ? middle : middle - 7];
  }

  // Scroll until a node is seen.
  reveal(node) {
    const { frame } = this;
    const [height, width] = BeamDrawing.SIZES[this.size];
    const [x, y] = this.place(node);
    if (x - width < frame.scrollLeft) frame.scrollLeft = x - width;
    if (x + width > frame.scrollLeft + frame.clientWidth) {
      frame.scrollLeft = x + width - frame.clientWidth;
    }
    if (y - height < frame.scrollTop + BeamDrawing.ABOVE) {
      frame.scrollTop = y - height - BeamDrawing.ABOVE;
    }
    if (y + height > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = y + height - frame.clientHeight;
    }
  }

  // ---- drawing

  request() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  static make(parent, name, attributes, content) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (content !== undefined) element.textContent = content;
    parent.append(element);
    return element;
  }

  draw() {
    const { tree, layout, frame, svg } = this;
    const [height, width] = BeamDrawing.SIZES[this.size];
    const first = Math.max(Math.floor(frame.scrollLeft / width) - 1, 0);
    const last = Math.ceil((frame.scrollLeft + frame.clientWidth) / width) + 1;
    const top = (frame.scrollTop - BeamDrawing.ABOVE) / height - 2;
    const bottom = top + frame.clientHeight / height + 4;
    const inside = (node) => layout.row.get(node) >= top && layout.row.get(node) <= bottom;
    // A link may pass the window from above to below it.
    const passes = (node) =>
      layout.row.get(tree.parent[node]) < top && layout.row.get(node) > bottom;
    const [links, tokens, steps] = ["g", "g", "g"].map((name) => BeamDrawing.make(svg, name, {}));
    const path = new Set(layout.path(this.chosen));
    for (const node of layout.columns.slice(first, last + 1).flat()) {
      const parent = tree.parent[node];
      if (parent >= 0 && (inside(node) || inside(parent) || passes(node))) {
        this.link(links, node, parent, path.has(node));
      }
      if (inside(node)) this.token(tokens, node);
    }
    this.numbers(steps, first, last);
    svg.replaceChildren(links, tokens, steps);
  }

  // Numbers of steps, which stay above the tree while it scrolls.
  numbers(parent, first, last) {
    const width = BeamDrawing.SIZES[this.size][1];
    const top = this.frame.scrollTop;
    BeamDrawing.make(parent, "rect", {
      class: "steps", x: first * width, y: top, width: (last - first + 2) * width,
      height: BeamDrawing.ABOVE - 2,
    });
    for (let step = Math.max(first, 1); step <= last && step < this.layout.columns.length; step += 1) {
      if (this.size < BeamDrawing.LABELLED && step % 5) continue;
      const at = { x: step * width + 8, y: top + 11, class: "small" };
      BeamDrawing.make(parent, "text", at, step);
    }
  }

  link(parent, node, from, chosen) {
    const { tree, layout } = this;
    const [x, y] = this.place(node);
    const [startX, startY] = this.place(from);
    const labelled = this.size >= BeamDrawing.LABELLED;
    const begin = startX + (labelled ? BeamDrawing.EDGE + this.measure(from) + 4 : 8);
    const end = x - 3;
    const turn = Math.max(end - 24, begin);
    const line = (shift) => `M ${begin} ${startY + shift} H ${turn} `
      + `C ${turn + 12} ${startY + shift} ${end - 12} ${y + shift} ${end} ${y + shift}`;
    const path = (shift, kind) => BeamDrawing.make(parent, "path", { d: line(shift), class: kind });
    if (chosen) path(0, "chosen");
    const own = BeamDrawing.WAYS.filter((way) => this.ways.has(way)
      && layout.outputs[node].some((number) => tree.outputs[number].way === way));
    if (!own.length) path(0, tree.fate[node]);
    for (const way of own) path(this.shifts[way], way);
  }

  // A token, cut to its place; a letter of Chinese or the like takes two.
  name(node) {
    if (node === 0) return "";
    let room = Math.floor((BeamDrawing.SIZES[this.size][1] - BeamDrawing.EDGE - 34) / 7.5);
    let text = "";
    for (const letter of this.tree.token[node]) {
      room -= letter.codePointAt(0) > 0x2e80 ? 2 : 1;
      if (room < 0) return `${text.slice(0, -1)}…`;
      text += letter;
    }
    return text;
  }

  measure(node) {
    const more = this.layout.hidden(node) ? 22 : 0;
    return this.pen.measureText(this.name(node)).width + more + 20 * this.tags(node).length;
  }

  tags(node) {
    return this.tree.outputs.filter((output) => output.node === node && this.ways.has(output.way))
      .map(({ way, name: told }) => BeamDrawing.LETTERS[way] + (told.match(/\d+$/) || [""])[0]);
  }

  token(parent, node) {
    const { tree, layout } = this;
    const [x, y] = this.place(node);
    const [height, width] = BeamDrawing.SIZES[this.size];
    const fate = tree.fate[node] || "unseen";
    const group = BeamDrawing.make(parent, "g", {
      class: `node ${fate}${node === this.chosen ? " chosen" : ""}`, "data-node": node,
    });
    BeamDrawing.make(group, "rect", {
      class: "back", x: x - 2, y: BeamDrawing.ABOVE + layout.row.get(node) * height + 1,
      width: width - 20, height: height - 2, rx: 4,
    });
    BeamDrawing.sign(group, fate, x + 5, y);
    if (this.size < BeamDrawing.LABELLED) return;
    const left = x + BeamDrawing.EDGE;
    BeamDrawing.make(group, "text", { x: left, y, class: "name" }, this.name(node));
    this.labels(group, node, left + this.pen.measureText(this.name(node)).width + 5, y);
    if (this.size >= BeamDrawing.TWO_LINES && node > 0) {
      const figures = `${tree.gain[node].toFixed(2)} · ${tree.score[node].toFixed(2)}`;
      BeamDrawing.make(group, "text", { x: left, y: y + 16, class: "small" }, figures);
    }
  }

  // Which outputs end here, and how many continuations are hidden.
  labels(parent, node, left, y) {
    let at = left;
    for (const tag of this.tags(node)) {
      const box = BeamDrawing.make(parent, "g", { class: "tag" });
      BeamDrawing.make(box, "rect", { x: at, y: y - 8, width: 17, height: 16, rx: 3 });
      BeamDrawing.make(box, "text", { x: at + 8.5, y: y + 1 }, tag);
      at += 20;
    }
    const hidden = this.layout.hidden(node);
    if (hidden) BeamDrawing.make(parent, "text", { x: at, y, class: "small" }, `+${hidden}`);
  }

  // Fates differ in form and not by colour alone.
  static sign(parent, fate, x, y) {
    const make = (name, attributes) =>
      BeamDrawing.make(parent, name, { class: "sign", ...attributes });
    const cross = `M ${x - 4} ${y - 4} L ${x + 4} ${y + 4} M ${x - 4} ${y + 4} L ${x + 4} ${y - 4}`;
    if (fate === "kept") make("circle", { cx: x, cy: y, r: 4 });
    else if (fate === "finished" || fate === "cut") {
      make("rect", { x: x - 4, y: y - 4, width: 8, height: 8 });
    } else if (fate === "pruned") make("path", { d: cross });
    else if (fate === "forbidden") {
      make("circle", { cx: x, cy: y, r: 5 });
      make("path", { d: `M ${x - 3.5} ${y + 3.5} L ${x + 3.5} ${y - 3.5}` });
    } else make("path", { d: `M ${x} ${y - 5} L ${x + 5} ${y} L ${x} ${y + 5} L ${x - 5} ${y} Z` });
  }
}
