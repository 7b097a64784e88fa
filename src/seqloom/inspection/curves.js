// Curves over layers or updates. Names are only ever set as text.
(() => {
  const byId = (id) => document.getElementById(id);
  const curves = JSON.parse(byId("curves").textContent);
  const look = JSON.parse(byId("look").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const [left, right, top, bottom] = [60, 880, 15, 370];
  let lines = [];
  let chosen = null;

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function deviation(values) {
    if (values.length < 2) return 0;
    const middle = mean(values);
    const squares = values.map((value) => (value - middle) ** 2);
    return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / (values.length - 1));
  }

  function point(line, layer, label) {
    const seeds = line.values[byId("measure").value][layer];
    return { label, value: mean(seeds), spread: deviation(seeds), seeds: seeds.length };
  }

  // Along layers a line a model and labels; along updates a line a layer and series.
  function collect() {
    const all = curves.lines.filter((line) => line.probe === byId("probe").value
      && byId("measure").value in line.values);
    if (byId("axis").value === "layers") {
      return all.map((line) => ({ name: line.name, series: line.series,
        points: curves.layers.map((name, layer) => point(line, layer, name)) }));
    }
    const kept = all.filter((line) => line.update !== null);
    const series = curves.series.filter((name) => kept.some((line) => line.series === name));
    return series.flatMap((name) => curves.layers.map((layer, place) => ({
      name: series.length > 1 ? `${layer}, ${name}` : layer,
      series: name,
      points: kept.filter((line) => line.series === name)
        .map((line) => point(line, place, `update ${line.update.toLocaleString("en")}`)),
    })));
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

  // From values to pixels, and the values at the bottom and at the top.
  function scale(baselines) {
    const shown = lines.flatMap((line) => line.points);
    const values = [...shown.flatMap((p) => [p.value - p.spread, p.value + p.spread]),
      ...Object.values(baselines)];
    const room = (Math.max(...values) - Math.min(...values) || 1) * 0.06;
    const [low, high] = [Math.min(...values) - room, Math.max(...values) + room];
    return [(value) => bottom - (value - low) / (high - low) * (bottom - top), low, high];
  }

  function gridlines(chart, y, low, high) {
    const power = 10 ** Math.floor(Math.log10((high - low) / 4));
    const step = [1, 2, 5, 10].map((k) => k * power).find((size) => (high - low) / size < 9);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      make(chart, "line", { x1: left, x2: right, y1: y(value), y2: y(value), class: "grid" });
      make(chart, "text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" },
        value.toFixed(digits));
    }
  }

  function draw() {
    const [chart, legend] = [byId("chart"), byId("legend")];
    chart.replaceChildren();
    legend.replaceChildren();
    lines = collect();
    choose(null);
    if (!lines.length) return;
    const { baselines } = curves.measures[byId("measure").value];
    const [y, low, high] = scale(baselines);
    gridlines(chart, y, low, high);
    for (const [name, value] of Object.entries(baselines)) {
      make(chart, "line", { x1: left, x2: right, y1: y(value), y2: y(value),
        stroke: look.unknown, "stroke-dasharray": "6 4" });
      make(chart, "text", { x: right, y: y(value) - 4, "text-anchor": "end" }, name);
    }
    const number = Math.max(...lines.map((line) => line.points.length));
    const x = (place) => left + 40 + place * (right - left - 80) / Math.max(number - 1, 1);
    lines[0].points.forEach((each, place) =>
      make(chart, "text", { x: x(place), y: bottom + 24, "text-anchor": "middle" }, each.label));
    lines.forEach((line, row) => drawLine(chart, legend, line, row, x, y));
  }

  function drawLine(chart, legend, line, row, x, y) {
    const colour = look.colours[row % look.colours.length];
    const turn = row + Math.floor(row / look.colours.length);
    const shape = look.shapes[turn % look.shapes.length];
    const path = line.points.map((p, place) => `${x(place)},${y(p.value)}`).join(" ");
    make(chart, "polyline", { points: path, fill: "none", stroke: colour, "stroke-width": 2,
      "stroke-dasharray": curves.series.indexOf(line.series) > 0 ? "5 4" : "none" });
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

  byId("across").hidden = !curves.lines.some((line) => line.update !== null);
  for (const id of ["measure", "probe", "axis"]) byId(id).addEventListener("change", draw);
  draw();
})();
