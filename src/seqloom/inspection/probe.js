// Curves over layers or updates. Names are only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const record = JSON.parse(byId("record").textContent);
  const look = JSON.parse(byId("look").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const [left, right, top, bottom] = [60, 880, 15, 370];
  const uniform = record.examples.train * Math.log2(record.classes.length);
  const updates = record.runs.filter((run) => run.states.startsWith("update "));
  let lines = [];
  let chosen = null;

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function deviation(values) {
    if (values.length < 2) return 0;
    const middle = mean(values);
    const squares = values.map((value) => (value - middle) ** 2);
    return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / (values.length - 1));
  }

  function find(states, labels, probe) {
    return record.runs.find((run) =>
      run.states === states && run.labels === labels && run.probe === probe);
  }

  // One figure a seed of a layer; null where the figure has no meaning.
  function seeds(run, layer, measure) {
    if (measure === "accuracy") return run.accuracy[layer];
    if (measure === "bits") return run.bits[layer].map((bits) => bits / 1000);
    if (measure === "compression") return run.bits[layer].map((bits) => uniform / bits);
    const control = find("trained", "control", run.probe);
    if (run.states !== "trained" || run.labels !== "task" || !control) return null;
    return run.accuracy[layer].map((share, seed) => share - control.accuracy[layer][seed]);
  }

  function point(run, layer, measure, label) {
    const values = seeds(run, layer, measure);
    return values && { label, value: mean(values), spread: deviation(values), seeds: values.length };
  }

  function collect() {
    const [measure, probe, axis] = ["measure", "probe", "axis"].map((id) => byId(id).value);
    const runs = record.runs.filter((run) => run.probe === probe);
    if (axis === "updates") {
      const kept = runs.filter((run) => run.states.startsWith("update "));
      return record.layers.map((name, layer) => ({
        name, points: kept.map((run) => point(run, layer, measure, run.states)).filter(Boolean),
      })).filter((line) => line.points.length);
    }
    return runs.map((run) => ({
      name: `${run.states} model, ${run.labels}`,
      points: record.layers.map((name, layer) => point(run, layer, measure, name)).filter(Boolean),
    })).filter((line) => line.points.length);
  }

  function make(parent, tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function mark(parent, shape, x, y, r, attributes) {
    if (shape === "circle") return make(parent, "circle", { cx: x, cy: y, r, ...attributes });
    const corners = {
      square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
      triangle: [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]],
      diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
    }[shape];
    const points = corners.map(([dx, dy]) => `${x + dx * r},${y + dy * r}`).join(" ");
    return make(parent, "polygon", { points, ...attributes });
  }

  function scale() {
    const all = lines.flatMap((line) => line.points);
    const measure = byId("measure").value;
    const extra = measure === "accuracy" ? Object.values(record.baselines)
      : measure === "compression" ? [1] : [0];
    const values = [...all.flatMap((p) => [p.value - p.spread, p.value + p.spread]), ...extra];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low || 1) * 0.06;
    return (value) => bottom - (value - low + room) / (high - low + 2 * room) * (bottom - top);
  }

  function gridlines(chart, y) {
    const inverse = (place) => {
      const [one, two] = [y(0), y(1)];
      return (place - one) / (two - one);
    };
    const [low, high] = [inverse(bottom), inverse(top)];
    const step = [1, 2, 5].map((k) => k * 10 ** Math.floor(Math.log10((high - low) / 4)))
      .find((size) => (high - low) / size < 9);
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      make(chart, "line", { x1: left, x2: right, y1: y(value), y2: y(value), class: "grid" });
      const digits = Math.max(0, -Math.floor(Math.log10(step)));
      make(chart, "text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" },
        value.toFixed(digits));
    }
  }

  function draw() {
    const chart = byId("chart");
    chart.replaceChildren();
    lines = collect();
    const legend = byId("legend");
    legend.replaceChildren();
    choose(null);
    if (!lines.length) return;
    const y = scale();
    gridlines(chart, y);
    if (byId("measure").value === "accuracy") {
      for (const [name, share] of Object.entries(record.baselines)) {
        make(chart, "line", { x1: left, x2: right, y1: y(share), y2: y(share),
          stroke: look.unknown, "stroke-dasharray": "6 4" });
        make(chart, "text", { x: right, y: y(share) - 4, "text-anchor": "end" }, name);
      }
    }
    const number = Math.max(...lines.map((line) => line.points.length));
    const x = (place) => left + 40 + place * (right - left - 80) / Math.max(number - 1, 1);
    lines[0].points.forEach((each, place) =>
      make(chart, "text", { x: x(place), y: bottom + 24, "text-anchor": "middle" }, each.label));
    lines.forEach((line, row) => drawLine(chart, legend, line, row, x, y));
  }

  function drawLine(chart, legend, line, row, x, y) {
    const colour = look.colours[row % look.colours.length];
    const shape = look.shapes[row % look.shapes.length];
    const path = line.points.map((p, place) => `${x(place)},${y(p.value)}`).join(" ");
    make(chart, "polyline", { points: path, fill: "none", stroke: colour, "stroke-width": 2 });
    line.points.forEach((p, place) => {
      make(chart, "line", { x1: x(place), x2: x(place), y1: y(p.value - p.spread),
        y2: y(p.value + p.spread), stroke: colour });
      const made = mark(chart, shape, x(place), y(p.value), 6, { fill: colour, class: "mark" });
      made.addEventListener("pointerenter", () => choose([row, place]));
      made.addEventListener("click", () => choose([row, place]));
      p.mark = made;
    });
    const item = document.createElement("li");
    const sign = make(item, "svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
    mark(sign, shape, 8, 8, 5, { fill: colour });
    item.append(line.name);
    legend.append(item);
  }

  function choose(place) {
    if (chosen) lines[chosen[0]]?.points[chosen[1]]?.mark?.classList.remove("chosen");
    chosen = place;
    const card = byId("card");
    if (!place) {
      card.textContent = lines.length ? "" : "This figure has no meaning along this axis.";
      return;
    }
    const [line, p] = [lines[place[0]], lines[place[0]].points[place[1]]];
    p.mark.classList.add("chosen");
    const unit = byId("measure").selectedOptions[0].textContent;
    card.textContent = `${p.label}, ${line.name}: ${p.value.toFixed(2)} ± ${p.spread.toFixed(2)} `
      + `(${unit}; ${p.seeds} seeds)`;
  }

  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  byId("chart").addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (event.key === "Escape") choose(null);
    if (!move || !lines.length) return;
    event.preventDefault();
    if (!chosen) {
      choose([0, 0]);
      return;
    }
    const row = Math.min(Math.max(chosen[0] + move[0], 0), lines.length - 1);
    choose([row, Math.min(Math.max(chosen[1] + move[1], 0), lines[row].points.length - 1)]);
  });

  for (const name of new Set(record.runs.map((run) => run.probe))) {
    const option = document.createElement("option");
    option.value = name;
    option.textContent = name === "hidden" ? "one hidden layer" : name;
    byId("probe").append(option);
  }
  byId("across").hidden = !updates.length;
  for (const id of ["measure", "probe", "axis"]) byId(id).addEventListener("change", draw);
  draw();
})();
