"use strict";

// Where the nodes of a tree stand: a column a step, and as few rows as possible. The best
// continuation of a node stands in its row, the others below it.
class BeamLayout {
  static ORDER = { kept: 0, cut: 0, finished: 1, pruned: 2, "": 3, forbidden: 4 };

  constructor(tree) {
    this.tree = tree;
    const count = tree.parent.length;
    this.children = Array.from({ length: count }, () => []);
    this.depth = new Array(count).fill(0);
    for (let node = 1; node < count; node += 1) {
      this.children[tree.parent[node]].push(node);
      this.depth[node] = this.depth[tree.parent[node]] + 1;
    }
    this.outputs = Array.from({ length: count }, () => []); // numbers of outputs through a node
    tree.outputs.forEach((output, number) => {
      for (let node = output.node; node > 0; node = tree.parent[node]) {
        this.outputs[node].push(number);
      }
    });
    const first = (node) => this.outputs[node].length ? this.outputs[node][0] : Infinity;
    const { ORDER } = BeamLayout;
    for (const list of this.children) {
      list.sort((a, b) => (first(a) === first(b) ? 0 : first(a) - first(b))
        || ORDER[tree.fate[a]] - ORDER[tree.fate[b]]
        || (tree.rank[a] ?? Infinity) - (tree.rank[b] ?? Infinity) || a - b);
    }
  }

  // Which nodes are shown: those on outputs of shown ways, those of the level, and all that
  // continues an opened node.
  shown(ways, level, opened) {
    const { fate, outputs } = this.tree;
    const wanted = (node) => level === "all" || opened.has(this.tree.parent[node])
      || (level === "kept" && ["kept", "cut", "finished"].includes(fate[node]))
      || this.outputs[node].some((number) => ways.has(outputs[number].way));
    this.visible = this.children.map(() => []);
    const waiting = [0];
    while (waiting.length) {
      const node = waiting.pop();
      this.visible[node] = this.children[node].filter(wanted);
      waiting.push(...this.visible[node]);
    }
    this.place();
  }

  place() {
    this.row = new Map();
    this.at = new Map(); // "row,column" -> node
    this.columns = Array.from({ length: Math.max(...this.depth) + 1 }, () => []);
    const taken = []; // for each row, the columns that are taken
    const waiting = [[0, 0]];
    while (waiting.length) {
      const [start, least] = waiting.pop();
      const chain = [start];
      for (let next = this.visible[start]; next.length; next = this.visible[next[0]]) {
        chain.push(next[0]);
      }
      const [from, to] = [this.depth[start], this.depth[chain[chain.length - 1]]];
      let row = least;
      while (taken[row] && taken[row].slice(from, to + 1).some(Boolean)) row += 1;
      taken[row] = taken[row] || new Array(this.columns.length).fill(false);
      taken[row].fill(true, from, to + 1);
      for (const node of chain) {
        this.row.set(node, row);
        this.at.set(`${row},${this.depth[node]}`, node);
        this.columns[this.depth[node]].push(node);
      }
      // Later branches first, so that they stay close and earlier ones pass below them.
      for (const node of chain) {
        for (const other of this.visible[node].slice(1).reverse()) waiting.push([other, row + 1]);
      }
    }
    this.columns.forEach((nodes) => nodes.sort((a, b) => this.row.get(a) - this.row.get(b)));
    this.rows = taken.length;
  }

  // The node above or below in the same column, or the same one.
  beside(node, by) {
    const column = this.columns[this.depth[node]];
    return column[Math.min(Math.max(column.indexOf(node) + by, 0), column.length - 1)];
  }

  // The last node of a hypothesis, going on with what is shown first.
  end(node) {
    let last = node;
    while (this.visible[last].length) [last] = this.visible[last];
    return last;
  }

  // How many continuations of a node are not shown.
  hidden(node) {
    return this.children[node].length - this.visible[node].length;
  }

  path(node) {
    const found = [];
    for (let each = node; each > 0; each = this.tree.parent[each]) found.unshift(each);
    return found;
  }
}
