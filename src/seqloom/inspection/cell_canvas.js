"use strict";

// Cells between the tokens of two texts, of which only what is seen is drawn, so that a text of a
// thousand tokens costs no more than one of thirty; and how a person goes from cell to cell.
class CellCanvas {
  static FONT = "13px system-ui, sans-serif";
  static SIZES = [2, 3, 4, 6, 8, 11, 15, 20, 27]; // pixels of a cell
  static LABELS = 11; // smallest cell beside which a label has room
  static LONGEST = 16; // letters of a label
  static MOST = .7; // of the window's height

  // `paint` draws what is in a cell: (pen, row, column, x, y, its side in pixels, colour of text).
  // `told` is called with the chosen cell, [row, column] or null, whenever it changes. Up to
  // `legible` cells the labels come before seeing all of it.
  constructor(paint, told, legible) {
    const [frame, room, canvas] = ["frame", "room", "map"].map((id) => document.getElementById(id));
    Object.assign(this, { frame, room, canvas, pen: canvas.getContext("2d"), paint, told, legible });
    this.rows = this.columns = [];
    this.step = 7;
    this.hovered = this.pinned = null; // [row, column]
    this.waiting = false;
    this.listen();
    frame.addEventListener("scroll", () => this.request());
    new ResizeObserver(() => this.resize()).observe(frame);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.request());
  }

  get cell() { return CellCanvas.SIZES[this.step]; }
  get chosen() { return this.hovered || this.pinned; }
  get labelled() { return this.cell >= CellCanvas.LABELS; }

  static short(token) {
    const letters = [...token.replace(/\n/g, "⏎").replace(/\t/g, "⇥")];
    const { LONGEST } = CellCanvas;
    return letters.length > LONGEST ? letters.slice(0, LONGEST - 1).join("") + "…"
      : letters.join("") || "∅";
  }

  show(rows, columns) {
    const other = rows.length !== this.rows.length || columns.length !== this.columns.length;
    Object.assign(this, { rows, columns });
    if (other) this.fit();
    else this.resize();
  }

  // The largest cells with which all of it is seen, but not smaller than labels need.
  fit() {
    const { SIZES, LABELS } = CellCanvas;
    const most = Math.max(this.rows.length * 1.5, this.columns.length, 1);
    const fitting = (this.frame.clientWidth - 150) / most;
    let step = SIZES.findLastIndex((size) => size <= fitting);
    const least = SIZES.findIndex((size) => size >= LABELS);
    if (most <= this.legible) step = Math.max(step, least);
    this.step = Math.max(step, 0);
    this.resize();
  }

  zoom(by) {
    const step = Math.min(Math.max(this.step + by, 0), CellCanvas.SIZES.length - 1);
    if (step === this.step) return;
    const ratio = CellCanvas.SIZES[step] / this.cell;
    this.step = step;
    this.resize();
    this.frame.scrollLeft *= ratio;
    this.frame.scrollTop *= ratio;
  }

  resize() {
    this.pen.font = CellCanvas.FONT;
    const width = (labels) => labels.reduce(
      (most, token) => Math.max(most, this.pen.measureText(CellCanvas.short(token)).width), 0);
    this.left = this.labelled ? Math.ceil(width(this.rows)) + 10 : 4;
    this.above = this.labelled ? Math.ceil(width(this.columns)) + 10 : 4;
    this.room.style.width = `${this.left + this.columns.length * this.cell + 4}px`;
    this.room.style.height = `${this.above + this.rows.length * this.cell + 4}px`;
    const whole = this.above + this.rows.length * this.cell + 24; // room for a scroll bar
    this.frame.style.height = `${Math.min(whole, CellCanvas.MOST * window.innerHeight)}px`;
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

  // ---- pointer and keys

  listen() {
    const { frame } = this;
    const place = (event) => {
      const box = frame.getBoundingClientRect();
      return this.at(event.clientX - box.left - frame.clientLeft,
        event.clientY - box.top - frame.clientTop);
    };
    frame.addEventListener("pointermove", (event) => this.hover(place(event)));
    frame.addEventListener("pointerleave", () => this.hover(null));
    frame.addEventListener("click", (event) => this.pin(place(event)));
    frame.addEventListener("keydown", (event) => this.press(event));
    document.getElementById("closer").addEventListener("click", () => this.zoom(1));
    document.getElementById("farther").addEventListener("click", () => this.zoom(-1));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own
    const [row, column] = this.pinned || [0, -1];
    const [lastRow, lastColumn] = [this.rows.length - 1, this.columns.length - 1];
    const cells = {
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      Home: [row, 0], End: [row, lastColumn],
    };
    if (event.key in cells) {
      event.preventDefault();
      if (lastRow < 0 || lastColumn < 0) return;
      const [down, across] = cells[event.key];
      const within = (value, most) => Math.min(Math.max(value, 0), most);
      this.pin([within(down, lastRow), within(across, lastColumn)]);
    } else if (event.key === "+" || event.key === "=") this.zoom(1);
    else if (event.key === "-") this.zoom(-1);
    else if (event.key === "Escape") this.pin(null);
  }

  hover(cell) {
    if (String(cell) === String(this.hovered)) return;
    this.hovered = cell;
    this.tell();
  }

  pin(cell) {
    this.pinned = cell;
    this.hovered = null;
    if (cell) this.reveal(cell);
    this.tell();
  }

  // For other rows and columns, which are to be shown next.
  forget() {
    this.hovered = this.pinned = null;
  }

  tell() {
    this.request();
    this.told(this.chosen);
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

  // ---- drawing

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
    const gap = cell > 4 ? 1 : 0;
    for (let row = first.row; row < last.row; row += 1) {
      for (let column = first.column; column < last.column; column += 1) {
        this.paint(pen, row, column, left + column * cell - fromX, above + row * cell - fromY,
          cell - gap, style.color);
      }
    }
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
    pen.font = CellCanvas.FONT;
    pen.textBaseline = "middle";
    pen.save();
    pen.beginPath();
    pen.rect(0, above, left, this.frame.clientHeight);
    pen.clip();
    pen.textAlign = "right";
    for (let row = first.row; row < last.row; row += 1) {
      pen.fillStyle = row === chosenRow ? "#d9661f" : colour;
      pen.fillText(CellCanvas.short(this.rows[row]), left - 5,
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
      pen.fillText(CellCanvas.short(this.columns[column]), 0, 0);
      pen.restore();
    }
    pen.restore();
  }
}
