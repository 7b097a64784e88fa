"use strict";

// The map of one head: cells with labels, of which only what is seen is drawn, so that a text of
// a thousand tokens costs no more than one of thirty.
class AttentionCanvas {
  static FONT = "13px system-ui, sans-serif";
  static SIZES = [2, 3, 4, 6, 8, 11, 15, 20, 27]; // pixels of a cell
  static LABELS = 11; // smallest cell beside which a label has room
  static LONGEST = 16; // letters of a label
  static MOST = .7; // of the window's height

  constructor(frame, room, canvas) {
    Object.assign(this, { frame, room, canvas, pen: canvas.getContext("2d") });
    this.rows = this.columns = [];
    this.weights = new Float32Array(0);
    this.top = 1;
    this.step = 7;
    this.chosen = null; // [row, column]
    this.waiting = false;
    frame.addEventListener("scroll", () => this.request());
    new ResizeObserver(() => this.resize()).observe(frame);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.request());
  }

  get cell() { return AttentionCanvas.SIZES[this.step]; }
  get labelled() { return this.cell >= AttentionCanvas.LABELS; }

  static short(token) {
    const letters = [...token.replace(/\n/g, "⏎").replace(/\t/g, "⇥")];
    const { LONGEST } = AttentionCanvas;
    return letters.length > LONGEST ? letters.slice(0, LONGEST - 1).join("") + "…"
      : letters.join("") || "∅";
  }

  show(rows, columns, weights) {
    const other = rows.length !== this.rows.length || columns.length !== this.columns.length;
    Object.assign(this, { rows, columns, weights });
    this.top = weights.reduce((a, b) => Math.max(a, b), 1e-9);
    if (other) this.fit();
    else this.resize();
  }

  // The largest cells with which all of it is seen, but not smaller than labels need.
  fit() {
    const { SIZES, LABELS } = AttentionCanvas;
    const most = Math.max(this.rows.length * 1.5, this.columns.length, 1);
    const fitting = (this.frame.clientWidth - 150) / most;
    let step = SIZES.findLastIndex((size) => size <= fitting);
    const least = SIZES.findIndex((size) => size >= LABELS);
    if (most <= 120) step = Math.max(step, least);
    this.step = Math.max(step, 0);
    this.resize();
  }

  zoom(by) {
    const step = Math.min(Math.max(this.step + by, 0), AttentionCanvas.SIZES.length - 1);
    if (step === this.step) return;
    const ratio = AttentionCanvas.SIZES[step] / this.cell;
    this.step = step;
    this.resize();
    this.frame.scrollLeft *= ratio;
    this.frame.scrollTop *= ratio;
  }

  resize() {
    this.pen.font = AttentionCanvas.FONT;
    const width = (labels) => labels.reduce(
      (most, token) => Math.max(most, this.pen.measureText(AttentionCanvas.short(token)).width), 0);
    this.left = this.labelled ? Math.ceil(width(this.rows)) + 10 : 4;
    this.above = this.labelled ? Math.ceil(width(this.columns)) + 10 : 4;
    this.room.style.width = `${this.left + this.columns.length * this.cell + 4}px`;
    this.room.style.height = `${this.above + this.rows.length * this.cell + 4}px`;
    const whole = this.above + this.rows.length * this.cell + 24; // room for a scroll bar
    this.frame.style.height = `${Math.min(whole, AttentionCanvas.MOST * window.innerHeight)}px`;
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [this.frame.clientWidth, this.frame.clientHeight];
    this.canvas.width = Math.round(across * ratio);
    this.canvas.height = Math.round(down * ratio);
    this.canvas.style.width = `${across}px`;
    this.canvas.style.height = `${down}px`;
    this.ratio = ratio;
    this.request();
  }

  request() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  // Row and column at a place of the frame, or null.
  at(x, y) {
    const column = Math.floor((x - this.left + this.frame.scrollLeft) / this.cell);
    const row = Math.floor((y - this.above + this.frame.scrollTop) / this.cell);
    const inside = x >= this.left && y >= this.above && row >= 0 && column >= 0
      && row < this.rows.length && column < this.columns.length;
    return inside ? [row, column] : null;
  }

  // Scroll until a cell is seen.
  reveal([row, column]) {
    const { frame, cell } = this;
    const [x, y] = [column * cell, row * cell];
    const [width, height] = [frame.clientWidth - this.left - 8, frame.clientHeight - this.above - 8];
    if (x < frame.scrollLeft) frame.scrollLeft = x;
    if (x + cell > frame.scrollLeft + width) frame.scrollLeft = x + cell - width;
    if (y < frame.scrollTop) frame.scrollTop = y;
    if (y + cell > frame.scrollTop + height) frame.scrollTop = y + cell - height;
  }

  draw() {
    const { pen, cell, frame, left, above } = this;
    const [width, height] = [frame.clientWidth, frame.clientHeight];
    const [fromX, fromY] = [frame.scrollLeft, frame.scrollTop];
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    const first = { row: Math.floor(fromY / cell), column: Math.floor(fromX / cell) };
    const last = {
      row: Math.min(this.rows.length, Math.ceil((fromY + height - above) / cell)),
      column: Math.min(this.columns.length, Math.ceil((fromX + width - left) / cell)),
    };
    pen.save();
    pen.beginPath();
    pen.rect(left, above, width, height);
    pen.clip();
    pen.fillStyle = "#3a7bd5";
    const gap = cell > 4 ? 1 : 0;
    for (let row = first.row; row < last.row; row += 1) {
      for (let column = first.column; column < last.column; column += 1) {
        const share = this.weights[row * this.columns.length + column] / this.top;
        if (share < .004) continue;
        pen.globalAlpha = Math.sqrt(share);
        pen.fillRect(left + column * cell - fromX, above + row * cell - fromY, cell - gap,
          cell - gap);
      }
    }
    pen.globalAlpha = 1;
    if (this.chosen) {
      const [row, column] = this.chosen;
      pen.strokeStyle = "#d9661f";
      pen.lineWidth = 2;
      pen.strokeRect(left + column * cell - fromX - 1, above + row * cell - fromY - 1, cell + 1,
        cell + 1);
    }
    pen.restore();
    if (this.labelled) this.label(style.color, first, last, fromX, fromY);
  }

  label(colour, first, last, fromX, fromY) {
    const { pen, cell, left, above } = this;
    const [chosenRow, chosenColumn] = this.chosen || [-1, -1];
    pen.font = AttentionCanvas.FONT;
    pen.textBaseline = "middle";
    pen.save();
    pen.beginPath();
    pen.rect(0, above, left, this.frame.clientHeight);
    pen.clip();
    pen.textAlign = "right";
    for (let row = first.row; row < last.row; row += 1) {
      pen.fillStyle = row === chosenRow ? "#d9661f" : colour;
      pen.fillText(AttentionCanvas.short(this.rows[row]), left - 5,
        above + (row + .5) * cell - fromY);
    }
    pen.restore();
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, this.frame.clientWidth, above);
    pen.clip();
    pen.textAlign = "left";
    for (let column = first.column; column < last.column; column += 1) {
      pen.save();
      pen.fillStyle = column === chosenColumn ? "#d9661f" : colour;
      pen.translate(left + (column + .5) * cell - fromX, above - 5);
      pen.rotate(-Math.PI / 2);
      pen.fillText(AttentionCanvas.short(this.columns[column]), 0, 0);
      pen.restore();
    }
    pen.restore();
  }
}
