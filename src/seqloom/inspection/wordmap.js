// What a person does with a word map: pointing, keys, search, and the card that tells of a word.
// Nothing is fetched, and a word is only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const record = JSON.parse(byId("record").textContent);
  const look = JSON.parse(byId("look").textContent);
  const [canvas, card, search, found] = ["map", "card", "search", "found"].map(byId);

  const CLICK = 4; // pixels that a pointer may move in a click
  const ZOOM = 1.5; // of a button or a key

  const words = record.words;
  const placeOf = new Map(words.map((word, i) => [word, i]));
  const plain = (text) => text.normalize("NFC").toLowerCase();
  const searched = words.map((word) => plain(word));
  const number = (value) => value.toLocaleString("en");

  let hovered = -1, pinned = -1, told = null;
  let matches = [], turn = -1;

  const board = new WordCanvas(canvas, record, look, (shown) => {
    byId("room").textContent = shown < words.length
      ? `${shown} of ${words.length} words have room for a label here.` : "";
  });

  // ---- the chosen word and its card

  function refresh() {
    const chosen = hovered >= 0 ? hovered : pinned;
    const near = chosen < 0 ? [] : record.neighbours[chosen];
    board.chosen = chosen;
    board.neighbours = near.map(([word]) => placeOf.get(word)).filter((i) => i !== undefined);
    board.found = matches;
    board.request();
    if (chosen === told) return;
    told = chosen;
    card.replaceChildren();
    if (chosen >= 0) tell(chosen);
    else {
      add(card, "p", "Point at a word, or choose one with the arrow keys, to see what is nearest "
        + "to it in all dimensions.");
    }
  }

  function add(parent, tag, text) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function tell(chosen) {
    add(add(card, "h2"), "bdi", words[chosen]);
    if (record.sections[chosen]) add(add(card, "p", "section: "), "bdi", record.sections[chosen]);
    if (record.ranks.length) {
      add(card, "p", record.ranks[chosen] === null
        ? "not among the words that were counted"
        : `seen ${number(record.counts[chosen])} times, place ${number(record.ranks[chosen])} of `
          + number(record.vocabulary));
    }
    add(card, "p", "Nearest of all words, with the cosine; buttons are on this map:");
    const list = add(card, "ol");
    for (const [word, cosine] of record.neighbours[chosen]) {
      const item = add(list, "li");
      const place = placeOf.get(word);
      const holder = place === undefined ? item : add(item, "button");
      add(holder, "bdi", word);
      add(item, "span", ` ${cosine.toFixed(3)}`);
      if (place === undefined) continue;
      holder.type = "button";
      holder.addEventListener("click", () => {
        choose(place);
        canvas.focus();
      });
    }
  }

  function choose(i) {
    pinned = i;
    hovered = -1;
    if (i >= 0) board.bringIntoView(i);
    refresh();
  }

  function hover(i) {
    if (i === hovered) return;
    hovered = i;
    refresh();
  }

  // ---- search

  search.addEventListener("input", () => {
    const wanted = plain(search.value.trim());
    const rank = (i) => (searched[i] === wanted ? 0 : searched[i].startsWith(wanted) ? 1 : 2);
    matches = wanted === "" ? []
      : words.map((_, i) => i).filter((i) => searched[i].includes(wanted));
    matches.sort((a, b) => rank(a) - rank(b) || a - b);
    turn = -1;
    choose(-1);
    found.textContent = wanted === "" ? ""
      : `${number(matches.length)} found${matches.length ? "; Enter shows the next" : ""}`;
  });

  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !matches.length) return;
    event.preventDefault();
    turn = (turn + 1) % matches.length;
    choose(matches[turn]);
    found.textContent = `${number(turn + 1)} of ${number(matches.length)}`;
  });

  // ---- buttons and keys

  const STEPS = {
    ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  const KEYS = {
    "+": () => board.zoom(ZOOM), "=": () => board.zoom(ZOOM), "-": () => board.zoom(1 / ZOOM),
    0: () => board.showAll(), Escape: () => choose(-1), "/": () => search.focus() };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step && event.shiftKey) board.pan(-60 * step[0], -60 * step[1]);
    else if (step) {
      const next = board.wordTowards(pinned, ...step);
      if (next >= 0) choose(next);
    } else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
    else return;
    event.preventDefault();
  });

  byId("closer").addEventListener("click", () => board.zoom(ZOOM));
  byId("farther").addEventListener("click", () => board.zoom(1 / ZOOM));
  byId("whole").addEventListener("click", () => board.showAll());

  // ---- pointers: one drags, two zoom

  const pointers = new Map();
  let travelled = 0;

  const gap = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (!pointers.size) travelled = 0;
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  });

  canvas.addEventListener("pointermove", (event) => {
    const here = [event.offsetX, event.offsetY];
    const before = pointers.get(event.pointerId);
    if (!before) {
      hover(board.wordAt(...here));
      return;
    }
    const apart = pointers.size === 2 ? gap() : 0;
    pointers.set(event.pointerId, here);
    travelled += Math.hypot(here[0] - before[0], here[1] - before[1]);
    if (travelled > CLICK) {
      board.pan((here[0] - before[0]) / pointers.size, (here[1] - before[1]) / pointers.size);
    }
    if (apart) {
      const [a, b] = [...pointers.values()];
      board.zoom(gap() / apart, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
    }
  });

  canvas.addEventListener("pointerup", (event) => {
    const alone = pointers.size === 1;
    pointers.delete(event.pointerId);
    if (alone && travelled <= CLICK) choose(board.wordAt(event.offsetX, event.offsetY));
  });

  canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => hover(-1));

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : WordCanvas.LINE);
    const factor = Math.exp(-0.002 * Math.max(-300, Math.min(300, pixels)));
    board.zoom(factor, event.offsetX, event.offsetY);
  }, { passive: false });

  // ---- legend

  function drawLegend() {
    const legend = byId("legend");
    const signs = { circle: "●", square: "■", triangle: "▲", diamond: "◆" };
    [...new Set(record.sections)].forEach((name, group) => {
      const item = add(legend, "li");
      const [colour, shape] = look.groups[group];
      add(item, "span", signs[shape]).style.color = colour;
      item.append(" ");
      add(item, "bdi", name || "no section");
    });
    if (record.sections.length || !record.ranks.length) return;
    const item = add(legend, "li", "most frequent");
    const ramp = add(item, "span");
    ramp.className = "ramp";
    ramp.style.background = `linear-gradient(to right, ${look.ramp.join(", ")})`;
    item.append("rarest");
  }

  drawLegend();
  refresh();
})();
