// A search as a tree: what is shown of it, and what one chooses in it. Nothing is fetched, and a
// token is only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const tree = JSON.parse(byId("data").textContent);
  const [frame, svg, card, level] = ["frame", "tree", "card", "level"].map(byId);
  const layout = new BeamLayout(tree);
  const drawing = new BeamDrawing(tree, layout, frame, svg);

  const LISTED = 12; // continuations of the card

  const state = { hovered: -1, pinned: -1, opened: new Set() };

  // ---- what is shown

  function ways() {
    const off = [...document.querySelectorAll("input.way:not(:checked)")].map((box) => box.value);
    return new Set(BeamDrawing.WAYS.filter((way) => !off.includes(way)));
  }

  function rearrange() {
    drawing.ways = ways();
    layout.shown(drawing.ways, level.value, state.opened);
    for (const name of ["hovered", "pinned"]) if (!layout.row.has(state[name])) state[name] = -1;
    drawing.resize();
    choose();
  }

  function toggle(node) {
    if (!layout.children[node].length) return;
    if (state.opened.has(node)) state.opened.delete(node);
    else state.opened.add(node);
    rearrange();
  }

  // ---- the chosen hypothesis

  function choose() {
    drawing.chosen = state.hovered >= 0 ? state.hovered : state.pinned;
    drawing.request();
    tell(drawing.chosen);
  }

  function add(parent, tag, content) {
    const element = document.createElement(tag);
    if (content !== undefined) element.textContent = content;
    parent.append(element);
    return element;
  }

  const percent = (node) => `${(100 * Math.exp(tree.gain[node])).toPrecision(3)} %`;

  function tell(node) {
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
    if (!layout.hidden(node) && !state.opened.has(node)) return;
    const all = `Show all ${layout.children[node].length}`;
    const button = add(card, "button", state.opened.has(node) ? "Close" : all);
    button.type = "button";
    button.addEventListener("click", () => toggle(node));
  }

  function pin(node) {
    state.pinned = node;
    state.hovered = -1;
    if (node >= 0) drawing.reveal(node);
    choose();
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
    choose();
  });
  svg.addEventListener("pointerleave", () => { state.hovered = -1; choose(); });
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
    else if (event.key === "+" || event.key === "=") drawing.zoom(1);
    else if (event.key === "-") drawing.zoom(-1);
    else if (event.key === "Escape") pin(-1);
    else return;
    event.preventDefault();
  });
  byId("closer").addEventListener("click", () => drawing.zoom(1));
  byId("farther").addEventListener("click", () => drawing.zoom(-1));
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
