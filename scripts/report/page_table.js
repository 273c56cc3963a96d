// The report page, part 2: tables that sort, filter, open a row, and show the first rows of many.

const SHOWN = 200;
const SORTS = { ascending: 1, descending: -1 };

/**
 * A table with what it needs around it.
 *
 * `columns`: {key, head (with the unit), get: row => value to sort by, show: row => text or node,
 * number: right-aligned, and sorted from the largest first}. `rows`: objects. `noun`: of the count.
 * `text`: row => what the search looks at. `chip`: row => one of the buttons that filter.
 * `id`: row => text, one for each; `open`: row => what stands below an opened row. `onOpen`: told
 * the row (null: closed). `sort`: [key, direction]; without it the order of `rows`.
 * Returns {element, mark: group => highlights the rows whose `group` (or else `id`) it is}.
 */
function table(options) {
  const {
    columns,
    rows,
    noun,
    text,
    chip,
    id = () => null,
    group = id,
    open = null,
    onOpen = () => {},
  } = options;
  const state = {
    sort: options.sort ?? null,
    words: [],
    chips: new Set(),
    all: false,
    opened: null,
    marked: null,
  };
  const count = h("span", { class: "count", role: "status" });
  const tbody = h("tbody");
  const more = h("button", { type: "button", class: "more", onclick: () => update({ all: true }) });
  const heads = columns.map((column) => header(column, () => update({ sort: turned(state.sort, column) })));

  function update(change = {}) {
    Object.assign(state, change);
    const found = sorted(
      rows.filter((row) => isWanted(row, state, text, chip)),
      columns,
      state.sort,
    );
    const shown = state.all ? found : found.slice(0, SHOWN);
    tbody.replaceChildren(...shown.flatMap((row) => lines(row)));
    count.textContent = `${number(found.length)} of ${plural(rows.length, noun)}`;
    more.hidden = shown.length === found.length;
    more.textContent = `Show all ${number(found.length)}`;
    heads.forEach((head, index) => {
      const sort = columns[index].key === state.sort?.[0] ? state.sort[1] : "none";
      head.setAttribute("aria-sort", sort);
    });
  }

  function lines(row) {
    const isOpen = open !== null && id(row) === state.opened;
    const isMarked = state.marked !== null && group(row) === state.marked;
    const cells = columns.map((column, index) => {
      const shown = column.show(row);
      const opens = index === 0 && open;
      const content = opens ? opener(shown, isOpen, () => toggle(row)) : shown;
      return h(
        index ? "td" : "th",
        { class: column.number && "number", scope: index ? null : "row" },
        content,
      );
    });
    const line = h(
      "tr",
      {
        "data-id": id(row),
        class: `${open ? "opens" : ""} ${isMarked ? "marked" : ""}`,
        onclick: open && ((event) => event.target.closest("a, button") || toggle(row)),
      },
      cells,
    );
    if (!isOpen) return [line];
    return [line, h("tr", { class: "below" }, h("td", { colspan: columns.length }, open(row)))];
  }

  function toggle(row) {
    const closes = state.opened === id(row);
    update({ opened: closes ? null : id(row) });
    onOpen(closes ? null : row);
    // The row was drawn anew: the focus goes back to its button.
    [...tbody.rows]
      .find((line) => line.dataset.id === id(row))
      ?.querySelector("button")
      .focus();
  }

  update();
  const element = h(
    "div",
    { class: "table" },
    tools(rows, options, count, update),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": options.caption },
      h("table", {}, h("thead", {}, h("tr", {}, heads)), tbody),
    ),
    more,
  );
  return { element, mark: (name) => update({ marked: name }) };
}

function header(column, press) {
  const button = h("button", { type: "button", title: column.title, onclick: press }, column.head);
  return h(
    "th",
    { scope: "col", class: column.number && "number", "aria-sort": "none", "data-key": column.key },
    button,
  );
}

function opener(shown, isOpen, press) {
  return h(
    "button",
    { type: "button", class: "opener", "aria-expanded": String(isOpen), onclick: press },
    shown,
  );
}

/** The search, the buttons of the chips that occur, and the count. */
function tools(rows, { noun, chip, caption }, count, update) {
  const pressed = new Set();
  const search = h("input", {
    type: "search",
    placeholder: `Find in ${noun}s`,
    "aria-label": `Find in ${caption}`,
    oninput: (event) => update({ words: event.target.value.toLowerCase().split(/\s+/).filter(Boolean) }),
  });
  const names = chip ? [...new Set(rows.map(chip))] : [];
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const buttons = names.map((name) => {
    const press = (event) => {
      if (!pressed.delete(name)) pressed.add(name);
      event.currentTarget.setAttribute("aria-pressed", String(pressed.has(name)));
      update({ chips: pressed });
    };
    const label = DOMAINS.includes(name) ? [mark(name), name] : [name];
    return h(
      "button",
      { type: "button", class: "chip", "aria-pressed": "false", "data-chip": name, onclick: press },
      label,
    );
  });
  return h("div", { class: "tools" }, search, names.length > 1 ? buttons : [], count);
}

/** Domains in their own order, other chips after them. */
const rank = (name) => (DOMAINS.includes(name) ? DOMAINS.indexOf(name) : DOMAINS.length);

function isWanted(row, { words, chips }, text, chip) {
  if (chips.size && !chips.has(chip(row))) return false;
  if (!words.length) return true;
  const where = text(row).toLowerCase();
  return words.every((word) => where.includes(word));
}

/** The next order after a press on a column's head: numbers begin with the largest. */
function turned(sort, column) {
  if (sort?.[0] === column.key) return [column.key, sort[1] === "ascending" ? "descending" : "ascending"];
  return [column.key, column.number ? "descending" : "ascending"];
}

/** The rows in order; what has no value stands last, whichever way. */
function sorted(rows, columns, sort) {
  const get = columns.find((column) => column.key === sort?.[0])?.get;
  if (!get) return rows;
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  return [...rows].sort((a, b) => {
    const [x, y] = [get(a), get(b)];
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    const way = typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y;
    return way * SORTS[sort[1]];
  });
}

// ---- columns

/** A column of text, or of what `show` makes of the row. */
const textColumn = (key, head, show = (row) => row[key] ?? NONE, title = null) => ({
  key,
  head,
  title,
  get: (row) => row[key] ?? null,
  show,
});

/** A column of numbers with this many decimals; `factor` brings them to the unit of the head. */
function numberColumn(key, head, { decimals = 0, factor = 1, title = null } = {}) {
  const get = (row) => (typeof row[key] === "number" ? row[key] * factor : null);
  return { key, head, title, number: true, get, show: (row) => number(get(row), decimals) };
}

/** A column of seconds: the decimals that its largest value leaves room for. */
function secondsColumn(key, head, rows, title = null) {
  const largest = rows.reduce((most, row) => Math.max(most, row[key] ?? 0), 0);
  return numberColumn(key, head, { decimals: largest < 100 ? 2 : largest < 10000 ? 1 : 0, title });
}

/** A small table without tools: heads, and rows of texts or nodes; numbers are told by the head. */
function plainTable(heads, rows) {
  const cell = (tag) => (content, index) =>
    h(tag, { class: heads[index].startsWith("#") && "number", scope: tag === "th" ? "col" : null }, content);
  const names = heads.map((head) => head.replace(/^#/, ""));
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, names.map(cell("th")))),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", {}, row.map(cell("td")))),
      ),
    ),
  );
}
