// A pair of sentences at a time: their words, and a grid of links. Words are only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const record = JSON.parse(byId("record").textContent);
  const number = record.links.length;
  const judged = record.sure.length > 0;
  let shown = 0;

  const parse = (line) => line.split(" ").filter(Boolean);

  function words(parent, list, side) {
    parent.replaceChildren();
    list.forEach((word, i) => {
      const span = document.createElement("span");
      span.textContent = word;
      span.tabIndex = 0;
      for (const event of ["pointerenter", "focus"]) {
        span.addEventListener(event, () => mark(side, i));
      }
      for (const event of ["pointerleave", "blur"]) span.addEventListener(event, () => mark(side, -1));
      parent.append(span, " ");
    });
  }

  // A word and what it is linked with.
  function mark(side, place) {
    const spans = { source: byId("source").children, target: byId("target").children };
    const other = side === "source" ? "target" : "source";
    const linked = new Set(parse(record.links[shown]).map((link) => link.split("-").map(Number))
      .filter((link) => link[side === "source" ? 0 : 1] === place)
      .map((link) => link[side === "source" ? 1 : 0]));
    [...spans[side]].forEach((span, i) => {
      span.className = i === place ? "chosen" : "";
    });
    [...spans[other]].forEach((span, i) => { span.className = linked.has(i) ? "linked" : ""; });
  }

  function sign(link, found, sure, possible) {
    if (!judged) return found.has(link) ? ["■", "right"] : ["", ""];
    if (found.has(link)) {
      if (sure.has(link)) return ["■", "right"];
      return possible.has(link) ? ["▣", "right"] : ["✗", "wrong"];
    }
    if (sure.has(link)) return ["□", "wrong"];
    return possible.has(link) ? ["·", ""] : ["", ""];
  }

  function show(place) {
    shown = Math.min(Math.max(place, 0), number - 1);
    byId("pair").value = shown + 1;
    byId("before").disabled = shown === 0;
    byId("after").disabled = shown === number - 1;
    const [source, target] = [record.sources[shown], record.targets[shown]];
    words(byId("source"), source, "source");
    words(byId("target"), target, "target");
    const [found, sure, possible] = ["links", "sure", "possible"].map((name) =>
      new Set(parse(record[name][shown] || "")));
    const grid = byId("grid");
    grid.replaceChildren();
    const head = grid.createTHead().insertRow();
    head.append(document.createElement("td"));
    source.forEach((word) => cell(head, "th", word));
    const body = grid.createTBody();
    target.forEach((word, t) => {
      const row = body.insertRow();
      cell(row, "th", word);
      source.forEach((other, s) => {
        const [text, kind] = sign(`${s}-${t}`, found, sure, possible);
        const made = cell(row, "td", text);
        made.className = kind;
        made.title = `${other} – ${word}`;
      });
    });
    const wrong = [...found].filter((link) => judged && !possible.has(link)).length;
    const missed = [...sure].filter((link) => !found.has(link)).length;
    byId("told").textContent = judged
      ? `${found.size} links, ${wrong} of them wrong, ${missed} sure ones not found`
      : `${found.size} links`;
  }

  function cell(row, tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    row.append(made);
    return made;
  }

  byId("before").addEventListener("click", () => show(shown - 1));
  byId("after").addEventListener("click", () => show(shown + 1));
  byId("pair").addEventListener("change", (event) => show(Number(event.target.value) - 1));
  show(0);
})();
