// A pair of sentences at a time: their words, and a grid of links. Words are only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const record = JSON.parse(byId("record").textContent);
  const number = record.links.length;
  const judged = record.sure.length > 0;
  const SIDES = ["source", "target"];
  const BLUE = "#3a7bd5";
  const RED = "#d0454c";
  const GREY = "#8886";
  const SMALL = 7; // pixels of a cell in which signs cannot be told apart
  const MEANINGS = {
    linked: "linked", sure: "found and sure", possible: "found and possible",
    wrong: "found and wrong", missed: "sure and not found", open: "possible and not found",
    none: "not linked",
  };
  let pair = { source: [], target: [] }; // the words of both sides, and sets of links such as 0-1
  let shown = 0;
  const board = new CellCanvas(paint, choose, Infinity);

  const parse = (line) => new Set(line.split(" ").filter(Boolean));

  function kindOf(link) {
    const found = pair.found.has(link);
    if (!judged) return found ? "linked" : "none";
    if (pair.sure.has(link)) return found ? "sure" : "missed";
    if (pair.possible.has(link)) return found ? "possible" : "open";
    return found ? "wrong" : "none";
  }

  // ---- the words

  function words(side) {
    const parent = byId(side);
    parent.replaceChildren();
    pair[side].forEach((word, i) => {
      const span = document.createElement("span");
      span.textContent = word;
      span.tabIndex = i ? -1 : 0; // one stop for Tab, from which arrows go on
      parent.append(span, " ");
    });
  }

  const placeOf = (span) => [...span.parentNode.children].indexOf(span);

  function mark(chosen, linked = {}) {
    for (const side of SIDES) {
      [...byId(side).children].forEach((span, i) => {
        span.className = i === chosen[side] ? "chosen" : (linked[side] || []).includes(i) ? "linked" : "";
      });
    }
  }

  function wordAt(side, place) {
    const word = document.createElement("bdi");
    word.textContent = pair[side][place];
    return word;
  }

  // A word and what it is linked with.
  function point(side, place) {
    const [own, other] = side === "source" ? [0, 1] : [1, 0];
    const linked = [...pair.found].map((link) => link.split("-").map(Number))
      .filter((link) => link[own] === place).map((link) => link[other]).sort((a, b) => a - b);
    mark({ [side]: place }, { [SIDES[other]]: linked });
    const words = linked.flatMap((each) => [" ", wordAt(SIDES[other], each)]);
    byId("card").replaceChildren(wordAt(side, place), words.length ? ": linked with" : ": not linked",
      ...words);
  }

  for (const side of SIDES) {
    const parent = byId(side);
    const on = (events, act) => events.forEach((event) => parent.addEventListener(event, act));
    on(["pointerover", "focusin"], ({ target }) => {
      if (target !== parent) point(side, placeOf(target));
    });
    on(["pointerout", "focusout"], () => choose(board.chosen));
    parent.addEventListener("keydown", (event) => {
      const { activeElement: from } = document;
      const to = { ArrowLeft: from.previousElementSibling, ArrowRight: from.nextElementSibling }[event.key];
      if (!to || from.parentNode !== parent) return;
      event.preventDefault();
      [from.tabIndex, to.tabIndex] = [-1, 0];
      to.focus();
    });
  }

  // ---- the grid

  function choose(cell) {
    if (!cell) {
      mark({});
      byId("card").textContent = "Point at a cell, or move to one with the arrow keys.";
      return;
    }
    const [target, source] = cell;
    mark({ source, target });
    byId("card").replaceChildren(wordAt("source", source), " – ", wordAt("target", target),
      `: ${MEANINGS[kindOf(`${source}-${target}`)]}`);
  }

  function paint(pen, row, column, x, y, size, ink) {
    const kind = kindOf(`${column}-${row}`);
    const colour = { wrong: RED, missed: RED, open: ink, none: GREY }[kind] || BLUE;
    pen.fillStyle = pen.strokeStyle = colour;
    if (size < SMALL) {
      if (kind !== "none") pen.fillRect(x, y, size, size);
      return;
    }
    const square = (name, share) => pen[name](
      x + size * (1 - share) / 2, y + size * (1 - share) / 2, size * share, size * share);
    pen.lineWidth = kind === "none" ? 1 : 1.5;
    if (kind === "linked" || kind === "sure") square("fillRect", .8);
    else if (kind === "open") square("fillRect", .2);
    else if (kind === "wrong") {
      pen.beginPath();
      for (const [from, to] of [[.2, .8], [.8, .2]]) {
        pen.moveTo(x + .2 * size, y + from * size);
        pen.lineTo(x + .8 * size, y + to * size);
      }
      pen.stroke();
    } else square("strokeRect", kind === "none" ? 1 : .8);
    if (kind === "possible") square("fillRect", .4);
  }

  // ---- the pair

  function show(place) {
    shown = Math.min(Math.max(place, 0), number - 1);
    byId("pair").value = shown + 1;
    byId("before").disabled = shown === 0;
    byId("after").disabled = shown === number - 1;
    const [found, sure, possible] = ["links", "sure", "possible"].map((name) =>
      parse(record[name][shown] || ""));
    pair = { source: record.sources[shown], target: record.targets[shown], found, sure, possible };
    SIDES.forEach(words);
    board.forget();
    board.show(pair.target, pair.source);
    choose(null);
    const wrong = [...found].filter((link) => judged && !possible.has(link)).length;
    const missed = [...sure].filter((link) => !found.has(link)).length;
    byId("told").textContent = judged
      ? `${found.size} links, ${wrong} of them wrong, ${missed} sure ones not found`
      : `${found.size} links`;
  }

  byId("before").addEventListener("click", () => show(shown - 1));
  byId("after").addEventListener("click", () => show(shown + 1));
  byId("pair").addEventListener("change", (event) => show(Number(event.target.value) - 1));
  show(0);
})();
