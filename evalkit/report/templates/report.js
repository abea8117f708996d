"use strict";
// Data becomes text nodes and attributes of SVG, never markup; every figure shown was computed by evalkit.
const byId = (id) => document.getElementById(id);
const read = (name) => { const at = byId("data-" + name); return at ? JSON.parse(at.textContent) : null; };
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes, ...children) {
  const one = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) one.setAttribute(key, ""); else if (value !== false && value != null) one.setAttribute(key, value);
  }
  one.append(...children.filter((child) => child != null));
  return one;
}

function short(value, digits = 3) {
  if (value == null) return "–";
  const text = Math.abs(value).toFixed(digits).replace(/^0\./, ".");
  return (value < 0 && Number(text) !== 0 ? "-" : "") + text;
}
const signed = (value) => (value > 0 && Number(value.toFixed(3)) !== 0 ? "+" : "") + short(value);
const percent = (value) => value == null ? "–" : (100 * value).toFixed(1) + " %";

// ---- threshold explorer
const PAPER = 680; // pixels between the margins of a printed page
const CURVES = [["precision", "precision"], ["recall", "recall"], ["lost", "lost answers"], ["false", "false answers"]];

function explorer() {
  const data = read("explorer");
  if (!data || !byId("explorer-panel")) return;
  const pipeline = byId("explorer-pipeline"), category = byId("explorer-category"), slider = byId("explorer-slider");
  const drawing = byId("explorer-chart");
  let curve, at, place, marker, printing = false;

  function shares(name) {
    const whole = { lost: curve.answerable, false: curve.negative }[name];
    return whole === undefined ? curve[name] : curve[name].map((count) => whole ? count / whole : null);
  }

  function draw() {
    const width = printing ? PAPER : Math.max(drawing.clientWidth, 260), height = 230;
    const left = 46, right = width - 12, top = 10, bottom = height - 26;
    const low = curve.threshold[0], high = curve.threshold[curve.threshold.length - 1];
    place = (score) => left + (right - left) * (high > low ? Math.min(1, Math.max(0, (score - low) / (high - low))) : 0);
    const y = (share) => bottom - (bottom - top) * share;
    const svg = make("svg:svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label":
      `Precision, recall, lost and false answers by threshold, ${pipeline.value}, ${category.value || "all queries"}` });
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      svg.append(make("svg:line", { class: "grid", x1: left, x2: right, y1: y(share), y2: y(share) }),
        make("svg:text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, 100 * share + " %"));
    }
    for (let tick = 0; tick <= 4; tick++) {
      const score = low + (high - low) * tick / 4;
      svg.append(make("svg:text", { x: place(score), y: height - 8, "text-anchor": tick === 0 ? "start" : tick === 4 ? "end" : "middle" }, short(score)));
    }
    if (curve.band) {
      const from = place(curve.band.low ?? low), to = place(curve.band.high ?? high);
      svg.append(make("svg:rect", { class: "spread", x: from, width: Math.max(1, to - from), y: top, height: bottom - top }));
    }
    if (curve.recommended != null) {
      const x = place(curve.recommended);
      svg.append(make("svg:line", { class: "recommended", x1: x, x2: x, y1: top - 6, y2: bottom }));
    }
    for (const [name] of CURVES) {
      let path = "", pen = "M";
      shares(name).forEach((share, index) => {
        if (share == null) { pen = "M"; return; }
        path += `${pen}${place(curve.threshold[index]).toFixed(1)} ${y(share).toFixed(1)}`;
        pen = "L";
      });
      svg.append(make("svg:path", { class: "curve " + name, d: path }));
    }
    marker = make("svg:line", { class: "marker", y1: top - 6, y2: bottom });
    svg.append(marker);
    drawing.replaceChildren(svg, legend());
  }

  function legend() {
    const key = (name, title) => make("span", null, make("svg:svg", { width: 26, height: 10, "aria-hidden": "true" },
      make("svg:line", { class: name, x1: 1, x2: 25, y1: 5, y2: 5 })), title);
    return make("p", { class: "note legend" }, ...CURVES.map(([name, title]) => key("curve " + name, title)),
      curve.recommended == null ? null : key("recommended", curve.band ? "recommended, shaded: " + curve.band.key : "recommended"));
  }

  // The slider runs over scores, as the chart's axis does, and stands at cuts only.
  function go(to) { at = Math.min(curve.threshold.length - 1, Math.max(0, to)); show(); }

  function snap() {
    const far = (index) => Math.abs(curve.threshold[index] - slider.valueAsNumber);
    go(curve.threshold.reduce((best, _, index) => far(index) < far(best) ? index : best, 0));
  }

  function step(event) {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(at + steps[event.key]);
  }

  function show() {
    const score = curve.threshold[at];
    slider.value = score;
    marker.setAttribute("x1", place(score)); marker.setAttribute("x2", place(score));
    const own = curve.cut === at;
    byId("explorer-threshold").textContent = "≥ " + short(score, 4) + (own ? " (recommended)" : "");
    slider.setAttribute("aria-valuetext", short(score, 4) + (own ? ", recommended" : ""));
    byId("explorer-precision").textContent = percent(curve.precision[at]);
    byId("explorer-recall").textContent = percent(curve.recall[at]);
    byId("explorer-kept").textContent = curve.kept[at].toFixed(1);
    for (const [name, whole] of [["lost", curve.answerable], ["false", curve.negative]]) {
      byId("explorer-" + name).replaceChildren(percent(whole ? curve[name][at] / whole : null), make("small", null, `${curve[name][at]} of ${whole}`));
    }
  }

  const reset = () => go(curve.cut ?? 0);

  function choose() {
    curve = data[pipeline.value][category.value];
    slider.min = curve.threshold[0];
    slider.max = curve.threshold[curve.threshold.length - 1];
    byId("explorer-reset").disabled = curve.cut == null;
    byId("explorer-note").textContent = `${pipeline.value}, ${category.value || "all queries"}: ${curve.queries} queries, ${curve.answerable} with a relevant candidate, ${curve.negative} that nothing answers. `
      + (curve.recommended == null ? "No threshold is recommended." : `Recommended: ${short(curve.recommended, 4)} (${curve.status}).`)
      + (curve.band ? ` Shaded: ${curve.band.told}.` : "");
    draw();
    reset();
  }

  pipeline.addEventListener("change", choose);
  category.addEventListener("change", choose);
  slider.addEventListener("input", snap);
  slider.addEventListener("keydown", step);
  byId("explorer-reset").addEventListener("click", () => { reset(); slider.focus(); });
  let width = 0;
  new ResizeObserver(() => { if (drawing.clientWidth !== width) { width = drawing.clientWidth; draw(); show(); } }).observe(drawing);
  for (const [event, now] of [["beforeprint", true], ["afterprint", false]]) addEventListener(event, () => { printing = now; draw(); show(); });
  choose();
}

// ---- queries
const PAGE = 20;

function browser() {
  if (!byId("browser")) return;
  let data, found = [], page = 0;
  const control = (name) => byId("browser-" + name);

  function start() {
    data = read("queries");
    data.queries.forEach((query, order) => { query.order = order; query.words = (query.id + " " + query.text).toLowerCase(); });
    control("left").value = data.baseline;
    control("right").value = data.rival;
    for (const name of ["search", "category", "judged", "left", "right", "sort"]) control(name)?.addEventListener("input", find);
    byId("browser-controls").addEventListener("submit", (event) => event.preventDefault());
    control("previous").addEventListener("click", () => { page--; list(); });
    control("next").addEventListener("click", () => { page++; list(); });
    find();
  }

  const left = () => Number(control("left").value), right = () => Number(control("right").value);
  const change = (query) => query.values[left()] == null || query.values[right()] == null ? null : query.values[right()] - query.values[left()];

  function find() {
    const words = control("search").value.toLowerCase().split(/\s+/).filter(Boolean), category = control("category").value;
    const judged = control("judged")?.value;
    const keys = { loss: change, gain: (query) => { const by = change(query); return by == null ? null : -by; }, low: (query) => query.values[right()], order: (query) => query.order };
    const key = keys[control("sort").value];
    found = data.queries.filter((query) => (!category || query.category === category) && (!judged || (judged === "unjudged") === Boolean(query.unjudged)) && words.every((word) => query.words.includes(word)));
    const place = new Map(found.map((query) => [query, key(query)]));
    found.sort((a, b) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || a.order - b.order);
    page = 0;
    list();
  }

  function list() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    control("count").textContent = found.length === 1 ? "1 query" : found.length.toLocaleString("en") + " queries";
    control("page").textContent = `page ${page + 1} of ${pages}`;
    control("previous").disabled = page === 0;
    control("next").disabled = page >= pages - 1;
    control("list").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(row));
  }

  function row(query) {
    const by = change(query);
    const button = make("button", { type: "button", class: "row", "aria-expanded": "false" },
      make("span", { class: "ask" }, make("bdi", null, query.text || "(no text)"), make("span", { class: "about" }, [query.category, query.id, query.unjudged && "unjudged"].filter(Boolean).join(" · "))),
      value(query, left()), value(query, right()),
      make("span", { class: "change" + (by > 0 ? " gain" : by < 0 ? " loss" : "") }, by == null ? "–" : signed(by)));
    const item = make("li", null, button);
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      if (open) item.lastChild.remove(); else item.append(detail(query));
    });
    return item;
  }

  function value(query, pipeline) {
    return make("span", { class: "value" }, make("span", { class: "unseen" }, data.pipelines[pipeline] + " " + data.measure + " "), short(query.values[pipeline]));
  }

  function detail(query) {
    if (!query.lists) return make("p", { class: "note" }, "The documents of this query are not in this file: evalkit report RUN_DIR --query " + query.id);
    const both = left() === right() ? [left()] : [left(), right()];
    const panel = make("div", { class: "orders" }, ...both.map((pipeline) => order(query, pipeline)));
    const held = new Set(both.flatMap((pipeline) => query.lists[pipeline].rows.map((one) => one[0])));
    const missing = query.relevant.filter(([number]) => !held.has(number));
    if (missing.length) panel.append(make("p", { class: "missing" }, "Relevant, but not among the candidates: ", ...missing.flatMap(([number, grade], index) => [index ? ", " : "", title(number), ` (grade ${grade})`])));
    if (query.unjudged) panel.append(make("p", { class: "missing" }, "Nobody has judged this query: it has no grades and takes no part in any figure."));
    else if (!query.relevant.length) panel.append(make("p", { class: "missing" }, "No document is judged relevant for this query: the best answer keeps nothing."));
    return panel;
  }

  function order(query, pipeline) {
    const one = query.lists[pipeline], rows = [];
    let last = 0, told = one.cut == null;
    const cut = () => { told = true; rows.push(make("li", { class: "cut" }, `Threshold ${short(one.cut, 4)}: ${one.kept} of ${one.total} kept${one.kept < one.total ? ", dropped from here on" : ""}`)); };
    for (const [number, score, grade, rank] of one.rows) {
      if (!told && rank > one.kept) cut();
      if (rank > last + 1) rows.push(make("li", { class: "cut" }, `… ${rank - last - 1} more`));
      rows.push(document_(number, score, grade, rank, one.kept != null && rank > one.kept));
      last = rank;
    }
    if (!told) cut();
    const name = make("h3", null, make("bdi", null, data.pipelines[pipeline]), ` · ${data.measure} ${short(query.values[pipeline])}`);
    if (one.failed) return make("div", null, name, make("p", { class: "note" }, "The provider gave no answer for this query."));
    return make("div", null, name, rows.length ? make("ol", null, ...rows) : make("p", { class: "note" }, "No candidates."));
  }

  function document_(number, score, grade, rank, dropped) {
    const [id, , text, more] = data.documents[number];
    const relevant = grade != null && grade >= data.relevantFrom;
    const meaning = grade == null ? "unjudged" : `grade ${grade}, ${relevant ? "relevant" : "not relevant"}` + (data.grades[grade] ? ": " + data.grades[grade] : "");
    return make("li", { class: dropped ? "dropped" : "" },
      make("span", { class: "rank" }, String(rank)),
      make("span", { class: "grade" + (grade == null ? " unjudged" : relevant ? " relevant" : ""), title: meaning }, make("span", { "aria-hidden": "true" }, grade == null ? "?" : String(grade)), make("span", { class: "unseen" }, meaning)),
      make("details", { class: "title" }, make("summary", null, title(number)),
        make("div", { class: "document", dir: "auto", tabindex: "0" }, text + (more ? ` … (${more.toLocaleString("en")} more characters in texts.parquet)` : "")), make("code", null, id)),
      make("span", { class: "score" }, short(score)));
  }

  function title(number) {
    const [id, name, text] = data.documents[number];
    return make("bdi", null, name || (text.length > 90 ? text.slice(0, 90).replace(/\s+\S*$/, "") + " …" : text) || id);
  }

  start();
}

// Open what is folded, so that it is printed.
let unfolded = [];
addEventListener("beforeprint", () => { unfolded = [...document.querySelectorAll("main > section > details:not([open])")]; unfolded.forEach((one) => { one.open = true; }); });
addEventListener("afterprint", () => unfolded.forEach((one) => { one.open = false; }));

explorer();
// The first screen is drawn before the large data is read.
requestAnimationFrame(() => setTimeout(browser));
