"use strict";
// The table of trials is the only copy of the numbers: what is sorted, filtered and plotted is read
// from its cells. Without this script the page still shows all of them.
(function () {
  const byId = (id) => document.getElementById(id);
  const table = byId("every"), body = table.tBodies[0];
  const FIRST_METRIC = 3, MOST_ARMS = 40, NAMES = 240, WIDE = 900, STEP = 26, PAGE = 500;
  const metrics = byId("plotted").options.length;
  const trials = Array.from(body.rows, (row, order) => {
    const cells = row.cells;
    const values = [];
    for (let i = 0; i < metrics; i++) {
      const told = cells[FIRST_METRIC + i].dataset.v;
      values.push(told === undefined ? null : Number(told));
    }
    return {
      row, order, values, arm: cells[0].textContent, replicate: cells[1].textContent,
      state: cells[2].textContent.split(" ")[0], text: row.textContent.toLowerCase(),
    };
  });
  let order = trials;
  const boxes = Array.from(document.querySelectorAll("#filters input[name=arm]"));
  // Names as the table shows them: what cannot be seen is spelled out there and here alike.
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.parentNode.textContent.trim());

  function key(trial, column, numeric) {
    const cell = trial.row.cells[column];
    if (!numeric) return cell.textContent;
    const told = cell.dataset.v === undefined ? cell.textContent : cell.dataset.v;
    return told === "" ? null : Number(told);
  }

  function sort(header, column) {
    const numeric = header.classList.contains("number");
    const upwards = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", upwards ? "ascending" : "descending");
    const keyed = trials.map((trial) => [key(trial, column, numeric), trial]);
    keyed.sort(([a, one], [b, other]) => {
      if (a === null || b === null) return (a === null) - (b === null) || one.order - other.order;
      const way = numeric ? a - b : a < b ? -1 : a > b ? 1 : 0;
      return (upwards ? way : -way) || one.order - other.order;
    });
    order = keyed.map(([, trial]) => trial);
    unfold(PAGE);
    // Moved while they are hidden: laying thousands of rows out again takes seconds.
    table.hidden = true;
    body.append(...order.map((trial) => trial.row));
    table.hidden = false;
  }

  // The first so many rows that fit the filter are laid out; the button shows the others.
  function unfold(most) {
    let shown = 0;
    for (const trial of order) trial.row.hidden = !trial.shown || ++shown > most;
    const left = shown - most, button = byId("more");
    button.hidden = left <= 0;
    button.textContent = `Show ${left} more trials`;
  }

  function filter() {
    const words = byId("filter-text").value.toLowerCase().trim();
    const state = byId("filter-state").value, arms = new Set(chosen());
    let shown = 0;
    for (const trial of trials) {
      const fits = (!words || trial.text.includes(words)) && (!state || trial.state === state)
        && (!arms.size || arms.has(trial.arm));
      trial.shown = fits;
      shown += fits;
    }
    unfold(PAGE);
    byId("counted").textContent = shown === trials.length
      ? `All ${shown} trials.` : `${shown} of ${trials.length} trials.`;
    plot();
  }

  function drawn(parent, name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  const digits = (value) => String(Number(value.toPrecision(6)));
  const shown = (value) => digits(value).replace("-", "\u2212");

  // Round numbers between two ends: three to six of them, a step of 1, 2 or 5 apart.
  function ticks(low, high) {
    const rough = (high - low) / 4 || 1, size = 10 ** Math.floor(Math.log10(rough));
    const step = size * [1, 2, 5, 10].find((factor) => factor * size >= rough);
    const made = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
      made.push(Number((k * step).toPrecision(12)));
    }
    return made.length ? made : [low];
  }

  const cut = (name) => (name.length > 32 ? name.slice(0, 31) + "\u2026" : name);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function plot() {
    const metric = Number(byId("plotted").value);
    const arms = new Map();
    for (const trial of trials) {
      if (!trial.shown || trial.values[metric] === null || trial.values[metric] === undefined) continue;
      if (!arms.has(trial.arm)) arms.set(trial.arm, []);
      arms.get(trial.arm).push(trial);
    }
    compare(arms, metric);
    const strip = byId("strip");
    strip.replaceChildren();
    if (!arms.size) return;
    const listed = Array.from(arms).slice(0, MOST_ARMS);
    let low = Infinity, high = -Infinity;
    for (const [, told] of listed) for (const trial of told) {
      low = Math.min(low, trial.values[metric]);
      high = Math.max(high, trial.values[metric]);
    }
    const room = (high - low) * 0.04 || Math.abs(high) * 0.01 || 1;
    const x = (value) => NAMES + (value - low + room) / (high - low + 2 * room) * (WIDE - NAMES - 20);
    const height = STEP * listed.length + 30;
    const label = byId("plotted").selectedOptions[0].textContent;
    const svg = drawn(strip, "svg", {
      viewBox: `0 0 ${WIDE} ${height}`, width: WIDE, height, role: "img",
      "aria-label": `${label} of each trial, one line an arm; the numbers are in the table below`,
    });
    const placed = listed.map(([arm, told], index) => {
      const y = STEP * index + 16, spots = new Map();
      drawn(svg, "line", { x1: NAMES, x2: WIDE - 10, y1: y, y2: y, class: "axis" });
      drawn(svg, "text", { x: NAMES - 10, y: y + 4, "text-anchor": "end" }, cut(arm));
      told.forEach((trial) => spots.set(trial.replicate, [x(trial.values[metric]), y]));
      return spots;
    });
    if (placed.length === 2) for (const [replicate, [x1, y1]] of placed[0]) {
      const other = placed[1].get(replicate);
      if (other) drawn(svg, "line", { x1, y1, x2: other[0], y2: other[1], class: "pair" });
    }
    listed.forEach(([, told], index) => {
      const y = STEP * index + 16, at = x(mean(told.map((trial) => trial.values[metric])));
      drawn(svg, "line", { x1: at, x2: at, y1: y - 10, y2: y + 10, class: "mean" });
      for (const trial of told) {
        const spot = drawn(svg, "circle", { cx: x(trial.values[metric]), cy: y, r: 5 });
        const words = `${trial.arm} #${trial.replicate}: ${digits(trial.values[metric])}`;
        drawn(spot, "title", {}, words);
        spot.addEventListener("mouseenter", () => { byId("pointed").textContent = words; });
        spot.addEventListener("click", () => find(trial));
      }
    });
    const y = STEP * listed.length + 20;
    const unit = byId("plotted").selectedOptions[0].dataset.unit;
    ticks(low, high).forEach((value, index, all) => {
      drawn(svg, "line", { x1: x(value), x2: x(value), y1: 4, y2: y - 14, class: "axis" });
      const words = shown(value) + (unit && index === all.length - 1 ? ` ${unit}` : "");
      drawn(svg, "text", { x: x(value), y, "text-anchor": "middle" }, words);
    });
    if (arms.size > listed.length) {
      drawn(svg, "text", { x: 0, y }, `first ${listed.length} of ${arms.size} arms`);
    }
  }

  function compare(arms, metric) {
    const into = byId("compared"), wanted = chosen().filter((arm) => arms.has(arm));
    into.hidden = wanted.length < 2;
    into.tBodies[0].replaceChildren();
    if (wanted.length < 2) return;
    const first = new Map(arms.get(wanted[0]).map((trial) => [trial.replicate, trial.values[metric]]));
    for (const arm of wanted) {
      const told = arms.get(arm), values = told.map((trial) => trial.values[metric]);
      const gaps = told.filter((trial) => first.has(trial.replicate))
        .map((trial) => trial.values[metric] - first.get(trial.replicate));
      const row = into.tBodies[0].insertRow();
      const name = document.createElement("th");
      name.scope = "row";
      name.className = "name";
      name.textContent = arm;
      row.append(name);
      const least = values.reduce((a, b) => Math.min(a, b)), most = values.reduce((a, b) => Math.max(a, b));
      const reference = arm === wanted[0];
      for (const said of [values.length, digits(mean(values)), digits(least), digits(most),
        reference ? "" : gaps.length, reference || !gaps.length ? "" : digits(mean(gaps))]) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = said;
      }
    }
  }

  function find(trial) {
    for (const other of body.querySelectorAll(".found")) other.classList.remove("found");
    if (trial.row.hidden) unfold(Infinity);
    trial.row.classList.add("found");
    trial.row.scrollIntoView({ block: "center" });
  }

  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(header, column));
    header.append(button);
  });
  const form = byId("filters");
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  byId("more").addEventListener("click", () => unfold(Infinity));
  form.hidden = false;
  byId("plot").hidden = metrics === 0;
  filter();
})();
