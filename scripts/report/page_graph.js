// The report page, part 6: the graph of rules, in lanes. Places come from layout.py.

const ROW = 24;
const BOX = 18;
const LANE_GAP = 14;
const COLUMN_GAP = 44;
const LETTER = 6.7; // width of a letter of a rule's name

/** All that `step` leads to from a rule, the rule itself left out. */
function reach(rule, step) {
  const seen = new Set();
  const open = [rule];
  while (open.length)
    for (const next of step.get(open.pop()) ?? [])
      if (!seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
  seen.delete(rule);
  return seen;
}

function steps(links, from, to) {
  const found = new Map();
  for (const one of links) found.set(one[from], (found.get(one[from]) ?? []).concat([one[to]]));
  return found;
}

/** Where each rule's box stands, lanes that hold nothing left out, and the size of it all. */
function places(rules) {
  const lanes = [...new Set(rules.map((rule) => rule.lane))].sort((a, b) => a - b);
  const columns = Math.max(...rules.map((rule) => rule.column)) + 1;
  const label = new Map(rules.map((rule) => [rule.rule, shortName(rule)]));
  const widths = Array(columns).fill(0);
  for (const rule of rules)
    widths[rule.column] = Math.max(widths[rule.column], label.get(rule.rule).length * LETTER + 14);
  const lefts = widths.map(
    (_, column) => 90 + widths.slice(0, column).reduce((sum, width) => sum + width + COLUMN_GAP, 0),
  );
  const tops = new Map();
  let height = 6;
  for (const lane of lanes) {
    const rows = rules.reduce((most, rule) => (rule.lane === lane ? Math.max(most, rule.row + 1) : most), 0);
    tops.set(lane, [height, rows * ROW]);
    height += rows * ROW + LANE_GAP;
  }
  const boxes = new Map(
    rules.map((rule) => [
      rule.rule,
      {
        x: lefts[rule.column],
        y: tops.get(rule.lane)[0] + rule.row * ROW + (ROW - BOX) / 2,
        width: label.get(rule.rule).length * LETTER + 14,
        label: label.get(rule.rule),
        rule,
      },
    ]),
  );
  return { boxes, tops, width: lefts.at(-1) + widths.at(-1) + 12, height };
}

/** Without the domain, which the lane tells, and with the number of jobs. */
function shortName({ rule, domain, jobs }) {
  const name = rule.startsWith(`${domain}_`) ? rule.slice(domain.length + 1) : rule;
  return jobs > 1 ? `${name} ×${jobs}` : name;
}

function drawGraph() {
  const here = body("graph");
  const rules = DATA.graph.rules.filter((rule) => typeof rule.column === "number");
  if (!rules.length) {
    here.append(empty("No rule graph is recorded yet; the next run records it:", "snakemake --cores all"));
    return;
  }
  const { boxes, tops, width, height } = places(rules);
  const links = DATA.graph.links.filter(([from, to]) => from !== to && boxes.has(from) && boxes.has(to));
  const [forward, back] = [steps(links, 0, 1), steps(links, 1, 0)];
  const edges = links.map(([from, to]) => ({
    from,
    to,
    path: svg("path", { class: "edge", d: curve(boxes.get(from), boxes.get(to)) }),
  }));
  const nodes = new Map([...boxes].map(([rule, box]) => [rule, node(box)]));
  const lanes = [...tops].map(([lane, [top, tall]]) =>
    svg(
      "g",
      { class: "swim" },
      svg("rect", { x: 0, y: top - 3, width, height: tall + 6 }),
      svg("text", { x: 8, y: top + tall / 2 + 4 }, DOMAINS[lane] ?? "other"),
    ),
  );
  const drawing = svg(
    "svg",
    {
      id: "rulegraph",
      role: "group",
      "aria-label": "Rules and what they need; arrow keys move, Enter chooses",
    },
    lanes,
    edges.map((edge) => edge.path),
    [...nodes.values()],
  );
  const box = h("div", { class: "scroll graph" }, drawing);
  const lists = h("div", { id: "lineage", role: "status" });
  let fits = false;
  const scale = () => {
    const shown = fits ? Math.min(1, box.clientWidth / width) : 1;
    size(drawing, Math.floor(width * shown), Math.floor(height * shown));
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    fit.textContent = fits ? "Readable size" : "Fit to width";
  };
  const fit = h("button", { type: "button", onclick: () => ((fits = !fits), scale()) });
  const find = h("input", {
    type: "search",
    placeholder: "Find a rule",
    "aria-label": "Find a rule in the graph",
    list: "rule-names",
    onchange: (event) => nodes.has(event.target.value) && choose("rule", event.target.value),
  });
  here.append(
    h(
      "div",
      { class: "tools" },
      find,
      h(
        "datalist",
        { id: "rule-names" },
        [...nodes.keys()].sort().map((rule) => h("option", { value: rule })),
      ),
      fit,
      h("span", { class: "count" }, `${plural(rules.length, "rule")}, ${plural(links.length, "link")}`),
    ),
    h(
      "p",
      { class: "note" },
      "Left to right: each rule needs those to its left that lead to it. Click a rule for all that it needs, and all that needs it.",
    ),
    box,
    lists,
  );

  function highlight(rule) {
    const known = nodes.has(rule);
    const [needs, needed] = known ? [reach(rule, back), reach(rule, forward)] : [new Set(), new Set()];
    drawing.classList.toggle("choosing", known);
    for (const [name, element] of nodes) {
      element.classList.toggle("self", name === rule);
      element.classList.toggle("needs", needs.has(name));
      element.classList.toggle("needed", needed.has(name));
    }
    for (const { from, to, path } of edges) {
      path.classList.toggle("needs", needs.has(from) && (needs.has(to) || to === rule));
      path.classList.toggle("needed", needed.has(to) && (needed.has(from) || from === rule));
    }
    lists.replaceChildren(...(known ? [lineage(`${rule} needs`, needs), lineage("Needed by", needed)] : []));
    if (known) bring(box, drawing, boxes.get(rule), width);
  }

  drawing.addEventListener("click", (event) => {
    const rule = event.target.closest("g.node")?.dataset.rule ?? null;
    choose("rule", rule === chosen.rule ? null : rule);
  });
  tips(drawing, (target) => {
    const one = boxes.get(target.closest?.("g.node")?.dataset.rule)?.rule;
    return one && [one.rule, `${plural(one.jobs ?? 0, "job")}, ${one.domain}`];
  });
  roving(drawing, "g.node", 3);
  nodes.values().next().value.setAttribute("tabindex", 0);
  onChoice("rule", highlight);
  new ResizeObserver(scale).observe(box);
  scale();
}

function node({ x, y, width, label, rule }) {
  return svg(
    "g",
    { class: "node", "data-rule": rule.rule, tabindex: -1, role: "button", "aria-label": rule.rule },
    svg("rect", { x, y, width, height: BOX, rx: 3 }),
    svg("rect", { class: `side ${domainOf(rule)}`, x, y, width: 4, height: BOX }),
    svg("text", { x: x + 9, y: y + BOX / 2 + 4 }, label),
  );
}

function curve(from, to) {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + BOX / 2, to.x, to.y + BOX / 2];
  const bend = Math.min(90, Math.max(20, (x2 - x1) / 2));
  return `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
}

/** Scroll the graph's own box (and not the page) so that a rule stands in its middle. */
function bring(box, drawing, place, width) {
  const shown = drawing.getBoundingClientRect().width / width || 1;
  const [x, y] = [(place.x + place.width / 2) * shown, (place.y + BOX / 2) * shown];
  const seen =
    x > box.scrollLeft + 40 &&
    x < box.scrollLeft + box.clientWidth - 40 &&
    y > box.scrollTop &&
    y < box.scrollTop + box.clientHeight;
  if (!seen) box.scrollTo({ left: x - box.clientWidth / 2, top: y - box.clientHeight / 2 });
}

function lineage(title, rules) {
  return h(
    "div",
    {},
    h("h3", {}, `${title} ${plural(rules.size, "rule")}`),
    h(
      "ul",
      { class: "names" },
      [...rules]
        .sort()
        .map((rule) =>
          h(
            "li",
            {},
            h("button", { type: "button", class: "opener", onclick: () => choose("rule", rule) }, rule),
          ),
        ),
    ),
  );
}
