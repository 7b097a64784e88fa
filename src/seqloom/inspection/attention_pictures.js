// Small pictures beside the map of attention, each a canvas of its own.
const BLUE = "#3a7bd5";
const ORANGE = "#d9661f";

// A head, or the mean of all (-1): the largest share of each patch, so that thin lines of long texts
// are seen.
function pictureOfHead({ shape: [count, rows, columns], values }, head) {
  const SIDE = 44; // pixels, and patches at most, across and down
  const [down, across] = [Math.min(SIDE, rows), Math.min(SIDE, columns)];
  const patches = new Float32Array(down * across);
  const chosen = head < 0 ? [...Array(count).keys()] : [head];
  for (const each of chosen) {
    for (let row = 0; row < rows; row += 1) {
      const start = each * rows * columns + row * columns;
      const patch = Math.floor(row * down / rows) * across;
      for (let column = 0; column < columns; column += 1) {
        const at = patch + Math.floor(column * across / columns);
        patches[at] = Math.max(patches[at], values[start + column]);
      }
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const pen = canvas.getContext("2d");
  const top = patches.reduce((a, b) => Math.max(a, b), 1);
  pen.fillStyle = BLUE;
  patches.forEach((share, i) => {
    pen.globalAlpha = Math.sqrt(share / top);
    pen.fillRect(i % across * SIDE / across, Math.floor(i / across) * SIDE / down,
      Math.ceil(SIDE / across), Math.ceil(SIDE / down));
  });
  return canvas;
}

// Bars of numbers, up and down from the middle, which are read out where they cannot be seen.
function pictureOfVector(name, numbers) {
  const canvas = document.createElement("canvas");
  canvas.width = 220;
  canvas.height = 34;
  const listed = numbers.map((number) => number.toFixed(2)).join(", ");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}: ${listed}`);
  canvas.title = listed;
  const pen = canvas.getContext("2d");
  const top = numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 1e-9);
  const width = canvas.width / numbers.length;
  numbers.forEach((number, i) => {
    pen.fillStyle = number < 0 ? ORANGE : BLUE;
    const height = Math.abs(number) / top * 16;
    pen.fillRect(i * width, number < 0 ? 17 : 17 - height, Math.max(width - 1, 1), height);
  });
  return canvas;
}
