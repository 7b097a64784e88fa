// Runs the script of a word map's page without a browser: just enough of a document, a pen that
// notes what it draws, and one line of JSON that tells what is seen at first and after each step.
//     node wordmap_in_node.js PAGE STEPS
// A step is {on: id, event: name, with: {...}, value: text} or {click: text of a button}.
"use strict";
const fs = require("node:fs");
const vm = require("node:vm");

const page = fs.readFileSync(process.argv[2], "utf8");
const steps = JSON.parse(process.argv[3]);
const frame = { points: [], texts: [], lines: 0 };
const frames = [];

const pen = {
  clearRect() { Object.assign(frame, { points: [], texts: [], lines: 0 }); },
  measureText: (text) => ({ width: 7 * [...text].length }),
  arc(x, y, radius) { this.last = { x, y, radius }; },
  rect(x, y, size) { this.last = { x: x + size / 2, y: y + size / 2, radius: size / 2 }; },
  moveTo(x, y) { this.last = { x, y, radius: 0 }; },
  fill() {
    frame.points.push({ ...this.last, alpha: this.globalAlpha, colour: this.fillStyle });
  },
  stroke() { frame.lines += 1; },
  fillText(text, x, y) { frame.texts.push({ text, x, y, alpha: this.globalAlpha }); },
};
for (const name of ["setTransform", "beginPath", "closePath", "lineTo", "strokeText"]) {
  pen[name] = () => {};
}

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], listeners: {}, style: {}, value: "" });
    Object.assign(this, { clientWidth: 800, clientHeight: 600 });
  }
  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join("");
  }
  set textContent(text) { this.children = [String(text)]; }
  append(...items) { this.children.push(...items); }
  replaceChildren(...items) { this.children = items; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  setPointerCapture() {}
  getContext() { return pen; }
  focus() { document.activeElement = this; }
  all(tag) {
    const inner = this.children.flatMap((child) => (child.all ? child.all(tag) : []));
    return this.tag === tag ? [this, ...inner] : inner;
  }
}

const elements = {};
for (const [, tag, id] of page.matchAll(/<(\w+)[^>]*? id="(\w+)"/g)) {
  elements[id] = new Element(tag);
}
for (const [, id, text] of page.matchAll(/<script type="[^"]*" id="(\w+)">(.*?)<\/script>/gs)) {
  elements[id].textContent = text;
}
const waiting = [];
const document = {
  getElementById: (id) => elements[id] ?? null,
  createElement: (tag) => new Element(tag),
};
const world = {
  document,
  window: { devicePixelRatio: 2 },
  getComputedStyle: () => ({ color: "rgb(0, 0, 0)", backgroundColor: "rgb(255, 255, 255)" }),
  matchMedia: () => ({ addEventListener() {} }),
  requestAnimationFrame: (draw) => waiting.push(draw),
  ResizeObserver: class {
    constructor(act) { this.act = act; }
    observe() { this.act(); }
  },
};

function note(prevented) {
  while (waiting.length) waiting.shift()();
  const said = (id) => elements[id].textContent;
  frames.push({
    ...frame,
    prevented,
    card: said("card"),
    found: said("found"),
    room: said("room"),
    legend: elements.legend.all("li").map((item) => item.textContent),
    buttons: elements.card.all("button").map((button) => button.textContent),
    canvas: [elements.map.width, elements.map.height],
  });
}

vm.runInNewContext(/<script>(.*?)<\/script>/s.exec(page)[1], world);
note(false);
for (const step of steps) {
  let prevented = false;
  const event = { preventDefault() { prevented = true; }, pointerId: 1, deltaMode: 0, ...step.with };
  if (step.click !== undefined) {
    elements.card.all("button").find((each) => each.textContent === step.click).listeners.click();
  } else {
    if (step.value !== undefined) elements[step.on].value = step.value;
    elements[step.on].listeners[step.event](event);
  }
  note(prevented);
}
process.stdout.write(JSON.stringify(frames));
