// A map of heads by role, and the evidence of the chosen one. Names are only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const { heads, parts, colours } = data;
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  const inside = (each, tell) => `[${tell(each.low)}, ${tell(each.high)}]`;
  const number = (value) => value.toLocaleString("en");
  const digits = (count) => (value) => value.toFixed(count).replace(/^(-?)0\./, "$1.");
  const mean = (each, count = 2) => `${each.value.toFixed(count)} ${inside(each, digits(count))}`;
  const nearest = (a, b) => (a.bar - a.floor) - (b.bar - b.floor);
  const accepted = (head) => head.evidence.filter((each) => each.accepted).sort(nearest);
  const counted = (loss) => data.counted[loss]; // what n is of a loss
  const nameOf = (head) => `${head.part}, layer ${head.layer}, head ${head.head}`;
  const relations = 12; // shown of one head: those nearest to being accepted
  let chosen = 0;

  function add(parent, tag, text, kind) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    parent.append(made);
    return made;
  }

  function short(each) {
    if (each.role === "rare token") return "rare";
    const [name, direction] = each.name.split(", ");
    const way = { "to the head": "↑", "to the dependent": "↓" }[direction] || "";
    return name.replace("offset ", "") + way;
  }

  function drawMap() {
    for (const [part, told] of Object.entries(parts)) {
      const own = heads.map((head, index) => [head, index]).filter(([head]) => head.part === part);
      add(byId("map"), "h2", `${part}: ${told}`);
      const layers = 1 + Math.max(...own.map(([head]) => head.layer));
      for (let layer = layers - 1; layer >= 0; layer -= 1) {
        const row = add(byId("map"), "div", undefined, "layer");
        add(row, "small", `layer ${layer}`);
        for (const [head, index] of own.filter(([each]) => each.layer === layer)) {
          const names = [...new Set(accepted(head).map(short))];
          const text = names.slice(0, 2).join(" ") + (names.length > 2 ? " …" : "");
          const cell = add(row, "div", text || "–", "cell");
          if (head.roles.length) {
            cell.classList.add("role");
            const [first, second = first] = head.roles.map((role) => colours[role]);
            cell.style.background = first === second ? first
              : `linear-gradient(90deg, ${first} 50%, ${second} 50%)`;
          }
          cell.dataset.index = index;
          cell.title = `${nameOf(head)}: ${head.roles.join(", ") || "no role"}`;
          cell.addEventListener("pointerenter", () => show(index));
          cell.addEventListener("click", () => show(index));
        }
      }
    }
  }

  function shape(svg, tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    svg.append(made);
  }

  // In a hundred, with interval and cases; older records have baselines without these.
  function share(each) {
    return percent(each.value)
      + (each.n ? ` ${inside(each, percent)}, n = ${number(each.n)}` : "");
  }

  // A share as a bar from 0 to 1, its interval, what must be reached, and the baselines.
  function bar(parent, name, each, colour, kind = "") {
    const line = add(parent, "div", undefined, `line ${kind}`);
    add(line, "span", name);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 400 20");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    line.append(svg);
    shape(svg, "rect", { x: 0, y: 0, width: 400, height: 20, fill: "#8882" });
    shape(svg, "rect", { x: 0, y: 3, width: 400 * each.value, height: 14, fill: colour });
    shape(svg, "rect", { x: 400 * each.low, y: 9, width: 400 * (each.high - each.low), height: 2,
      fill: "currentColor" });
    if (each.bar !== undefined) {
      shape(svg, "rect", { x: Math.min(400 * each.bar, 398), y: 0, width: 2, height: 20,
        fill: "currentColor" });
    }
    const beside = Object.entries(each.against || {});
    for (const [, { value }] of beside) {
      shape(svg, "path", { d: `M${400 * value - 5} 10l5-7 5 7-5 7z`, fill: colours[""] });
    }
    add(line, "span", [share(each), ...beside.map(([what, other]) => `${what} ${share(other)}`)]
      .join("; "));
  }

  function show(index) {
    chosen = Math.min(Math.max(index, 0), heads.length - 1);
    const head = heads[chosen];
    document.querySelectorAll(".cell").forEach((cell) => {
      cell.classList.toggle("chosen", Number(cell.dataset.index) === chosen);
    });
    const card = byId("card");
    card.replaceChildren();
    add(card, "h2", `${nameOf(head)}: ${head.roles.join(", ") || "no role"}`);
    add(card, "p", head.path);
    for (const [name, each] of Object.entries(head.importance)) {
      add(card, "p", `Lost without it of ${name}: ${mean(each, 3)}, n = ${number(each.n)} `
        + counted(name));
    }
    bar(card, "confidence", head.confidence, colours[""]);
    bar(card, "entropy / log length", head.spread, colours[""]);
    bar(card, "symbols around the text", head.rest, colours[""]);
    const plain = head.evidence.filter((each) => each.role !== "syntactic" && each.n);
    const along = head.evidence.filter((each) => each.role === "syntactic" && each.enough);
    for (const each of [...plain, ...along.sort(nearest).slice(0, relations)]) {
      const name = `${each.accepted ? "✓ " : ""}${each.name}`;
      bar(card, name, each, colours[each.role], each.accepted ? "" : "weak");
    }
  }

  function drawTable() {
    const table = byId("all");
    const top = table.createTHead().insertRow();
    const losses = Object.keys(heads[0].importance);
    for (const name of ["head", "roles", "evidence", "95 % interval", "cases", "confidence",
      "entropy / log length", "tokens",
      ...losses.flatMap((loss) => [`lost ${loss}`, counted(loss)])]) {
      add(top, "th", name).scope = "col";
    }
    const body = table.createTBody();
    heads.forEach((head) => {
      const row = body.insertRow();
      add(row, "th", nameOf(head)).scope = "row";
      const [best] = accepted(head);
      add(row, "td", head.roles.join(", ") || "–");
      add(row, "td", best ? `${best.name}: ${percent(best.value)}` : "");
      add(row, "td", best ? inside(best, percent) : "");
      add(row, "td", best ? number(best.n) : "");
      add(row, "td", mean(head.confidence));
      add(row, "td", mean(head.spread));
      add(row, "td", number(head.confidence.n));
      for (const loss of losses) {
        add(row, "td", mean(head.importance[loss], 3));
        add(row, "td", number(head.importance[loss].n));
      }
    });
  }

  // Arrow keys go to the neighbour in the drawn map: sideways to a head, up and down to a layer.
  function neighbour(key) {
    const rows = [...document.querySelectorAll("#map .layer")]
      .map((row) => [...row.querySelectorAll(".cell")].map((cell) => Number(cell.dataset.index)));
    const row = rows.findIndex((cells) => cells.includes(chosen));
    const column = rows[row].indexOf(chosen);
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1],
      ArrowRight: [0, 1] }[key];
    const cells = rows[Math.min(Math.max(row + down, 0), rows.length - 1)];
    return cells[Math.min(Math.max(column + right, 0), cells.length - 1)];
  }

  byId("map").addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    show(neighbour(event.key));
  });
  document.querySelectorAll("#legend span").forEach((mark) => {
    mark.style.background = colours[mark.dataset.role];
  });
  drawMap();
  drawTable();
  const first = heads.findIndex((head) => head.roles.length);
  show(Math.max(first, 0));
})();
