"use strict";

// The canvas of a word map: where the words of a record lie on it, and how they are drawn.
class WordCanvas {
  static FONT = "13px system-ui, sans-serif";
  static LINE = 16; // pixels of a label's height
  static RADIUS = 3.5;
  static REACH = 14; // pixels from a point at which the pointer still means it
  static MARGIN = 40;
  static LONGEST = 40; // letters of a label

  // `told` is called after each drawing with the number of labels that had room.
  constructor(canvas, record, look, told) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.told = told;
    this.words = record.words;
    this.xs = record.points.map((point) => point[0]);
    this.ys = record.points.map((point) => point[1]);
    this.labels = this.words.map((word) => {
      const letters = [...word];
      const { LONGEST } = WordCanvas;
      return letters.length > LONGEST ? letters.slice(0, LONGEST - 1).join("") + "…" : word;
    });
    this.labelWidths = new Array(this.words.length);
    this.styles = this.words.map(WordCanvas.styleOf(record, look));
    this.width = this.height = 0; // in pixels of the page
    this.view = { x: 0, y: 0, scale: 1 }; // what lies in the middle, and pixels a unit
    this.whole = 1; // the scale at which all is seen
    this.moved = false;
    this.chosen = -1; // a word with lines to its neighbours
    this.neighbours = []; // those of the chosen word that are on the map
    this.found = []; // words that are lit while none is chosen
    this.waiting = false;
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.request());
  }

  // Colour and shape of each word: by section, by rank, or all alike.
  static styleOf(record, look) {
    const names = [...new Set(record.sections)];
    if (names.length) return (_, i) => look.groups[names.indexOf(record.sections[i])];
    const known = record.ranks.filter((rank) => rank !== null).map(Math.log);
    if (!known.length) return () => [look.plain, "circle"];
    const [low, high] = WordCanvas.extent(known);
    return (_, i) => record.ranks[i] === null
      ? [look.unknown, "circle"]
      : [WordCanvas.mix(look.ramp, (Math.log(record.ranks[i]) - low) / (high - low || 1)), "circle"];
  }

  static mix([from, to], share) {
    const part = (colour, at) => parseInt(colour.slice(at, at + 2), 16);
    const mixed = [1, 3, 5].map((at) =>
      Math.round(part(from, at) * (1 - share) + part(to, at) * share));
    return `rgb(${mixed.join(", ")})`;
  }

  static extent(values) {
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  }

  // ---- where things are

  across(i) {
    return (this.xs[i] - this.view.x) * this.view.scale + this.width / 2;
  }

  down(i) {
    return (this.view.y - this.ys[i]) * this.view.scale + this.height / 2;
  }

  isSeen(i, margin = 0) {
    const x = this.across(i), y = this.down(i);
    return x >= margin && x <= this.width - margin && y >= margin && y <= this.height - margin;
  }

  wordAt(x, y, reach = WordCanvas.REACH) {
    let best = -1, least = reach;
    for (let i = 0; i < this.words.length; i++) {
      const distance = Math.hypot(this.across(i) - x, this.down(i) - y);
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  // The next word to the right, say, of one or of the middle: within 45 degrees, and rather ahead
  // than aside. -1: there is none; from the middle, the nearest word will do then.
  wordTowards(from, right, downwards) {
    const x = from < 0 ? this.width / 2 : this.across(from);
    const y = from < 0 ? this.height / 2 : this.down(from);
    let best = -1, least = Infinity;
    for (let i = 0; i < this.words.length; i++) {
      const over = this.across(i) - x, under = this.down(i) - y;
      const ahead = over * right + under * downwards;
      const aside = Math.abs(over * downwards) + Math.abs(under * right);
      const distance = ahead + 2 * aside;
      if (i !== from && ahead > 0 && aside <= ahead && distance < least) {
        [best, least] = [i, distance];
      }
    }
    return best < 0 && from < 0 ? this.wordAt(x, y, Infinity) : best;
  }

  // ---- what is seen of it

  showAll() {
    const [left, right] = WordCanvas.extent(this.xs), [bottom, top] = WordCanvas.extent(this.ys);
    const { MARGIN } = WordCanvas;
    this.whole = Math.min((this.width - 2 * MARGIN) / (right - left || 1),
      (this.height - 2 * MARGIN) / (top - bottom || 1));
    this.view = { x: (left + right) / 2, y: (bottom + top) / 2, scale: this.whole };
    this.moved = false;
    this.request();
  }

  pan(right, downwards) {
    this.view.x -= right / this.view.scale;
    this.view.y += downwards / this.view.scale;
    this.moved = true;
    this.request();
  }

  // What lies under (x, y) stays there.
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const { view, whole } = this;
    const scale = Math.min(Math.max(view.scale * factor, whole / 2), whole * 2000);
    const change = 1 / view.scale - 1 / scale;
    view.x += (x - this.width / 2) * change;
    view.y -= (y - this.height / 2) * change;
    view.scale = scale;
    this.moved = true;
    this.request();
  }

  bringIntoView(i) {
    if (this.isSeen(i, WordCanvas.MARGIN / 2)) return;
    Object.assign(this.view, { x: this.xs[i], y: this.ys[i] });
    this.moved = true;
    this.request();
  }

  resize() {
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    if (this.moved) this.request();
    else this.showAll();
  }

  // ---- drawing

  request() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = false;
    if (!this.width || !this.height) return;
    const { RADIUS } = WordCanvas;
    const { color: ink, backgroundColor: paper } = getComputedStyle(this.canvas);
    const ratio = window.devicePixelRatio || 1;
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
    const lit = new Set(this.chosen < 0 ? this.found : [this.chosen, ...this.neighbours]);
    const faint = lit.size ? 0.25 : 1;
    if (this.chosen >= 0) this.drawLines(ink);
    this.words.forEach((_, i) => { if (!lit.has(i)) this.drawPoint(i, faint, RADIUS); });
    lit.forEach((i) => this.drawPoint(i, 1, (i === this.chosen ? 2 : 1.4) * RADIUS));
    this.told(this.drawLabels(lit, faint, ink, paper));
  }

  drawLines(ink) {
    this.pen.globalAlpha = 0.6;
    this.pen.strokeStyle = ink;
    this.pen.lineWidth = 1;
    for (const i of this.neighbours) {
      this.pen.beginPath();
      this.pen.moveTo(this.across(this.chosen), this.down(this.chosen));
      this.pen.lineTo(this.across(i), this.down(i));
      this.pen.stroke();
    }
  }

  drawPoint(i, alpha, size) {
    if (!this.isSeen(i, -10)) return;
    const [colour, shape] = this.styles[i];
    const { pen } = this;
    const x = this.across(i), y = this.down(i);
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.beginPath();
    if (shape === "circle") pen.arc(x, y, size, 0, 2 * Math.PI);
    else if (shape === "square") pen.rect(x - size, y - size, 2 * size, 2 * size);
    else {
      const corners = shape === "triangle" ? [[1, 1], [-1, 1]] : [[1, 0], [0, 1], [-1, 0]];
      pen.moveTo(x, y - 1.2 * size);
      for (const [right, under] of corners) {
        pen.lineTo(x + 1.2 * size * right, y + 1.2 * size * under);
      }
      pen.closePath();
    }
    pen.fill();
  }

  // Words that are lit come first, then those early in the record; who has no room is left out.
  drawLabels(lit, faint, ink, paper) {
    const { pen } = this;
    const isFree = this.freeBoxes();
    Object.assign(pen, { font: WordCanvas.FONT, textBaseline: "middle", lineWidth: 3 });
    Object.assign(pen, { lineJoin: "round", strokeStyle: paper, fillStyle: ink });
    let shown = 0;
    const label = (i, alpha) => {
      if (!this.isSeen(i)) return;
      const text = this.labels[i];
      const width = this.labelWidths[i] ??= pen.measureText(text).width;
      const gap = WordCanvas.RADIUS + 4, half = WordCanvas.LINE / 2, y = this.down(i);
      const place = [this.across(i) + gap, this.across(i) - gap - width].find((x) =>
        isFree(x, y - half, x + width, y + half));
      if (place === undefined) return;
      pen.globalAlpha = alpha;
      pen.strokeText(text, place, y);
      pen.fillText(text, place, y);
      shown++;
    };
    lit.forEach((i) => label(i, 1));
    this.words.forEach((_, i) => { if (!lit.has(i)) label(i, faint); });
    pen.globalAlpha = 1;
    return shown;
  }

  // Says whether a box overlaps none of those before it, and takes it if so. The picture is cut
  // into cells, so that a box is compared with its surroundings only.
  freeBoxes() {
    const cells = new Map();
    return (left, top, right, bottom) => {
      if (left < 0 || right > this.width) return false;
      const keys = [];
      for (let column = Math.floor(left / 80); column <= Math.floor(right / 80); column++) {
        const rows = [top, bottom].map((edge) => Math.floor(edge / WordCanvas.LINE));
        for (let row = rows[0]; row <= rows[1]; row++) {
          const key = column * 100003 + row;
          for (const [l, t, r, b] of cells.get(key) ?? []) {
            if (left < r && l < right && top < b && t < bottom) return false;
          }
          keys.push(key);
        }
      }
      for (const key of keys) {
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push([left, top, right, bottom]);
      }
      return true;
    };
  }
}
