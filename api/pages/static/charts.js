// Charts of the tables on the page, and the colours of the map. Nothing is fetched but the library:
// a chart shows what its table says, and the table stays. Drawn as SVG; a tooltip is drawn in it too,
// for one made of markup would bring styles that the page's policy forbids.

const INK = "#1c2430", QUIET = "#4a5565", LINE = "#c9d1dc";
const COLOURS = ["#0b5cad", "#c2410c", "#17663a", "#6b3fa0"];
const DASHES = ["solid", "dashed", "dotted", "solid"];
const MARKS = ["circle", "rect", "triangle", "diamond"];

let library;
function fetched(address) {
  library ||= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(window.echarts);
    script.onerror = failed;
    document.head.append(script);
  });
  return library;
}

/** What a table says: the names of its rows, and the values of the columns marked for a chart. */
export function read(table, kind) {
  const heads = [...table.tHead.rows[0].cells];
  const columns = heads.map((head, at) => ({ head, at })).filter(({ head }) => head.dataset.series === kind);
  const rows = [...table.tBodies[0].rows].filter((row) => columns.some(({ at }) => row.cells[at]?.dataset.value !== undefined || kind === "rates" || kind === "run"));
  return {
    names: rows.map((row) => row.querySelector("th")?.textContent.trim() || ""),
    series: columns.map(({ head, at }) => ({
      name: head.textContent.trim(),
      values: rows.map((row) => (row.cells[at]?.dataset.value === undefined ? null : Number(row.cells[at].dataset.value))),
    })),
  };
}

const LYING = new Set(["keys", "stages", "try"]);
const MOST = 30;

function option(kind, unit, told) {
  const lying = LYING.has(kind);
  const names = lying ? told.names.slice(0, MOST) : told.names;
  const text = { color: INK, fontSize: 13, fontFamily: getComputedStyle(document.body).fontFamily };
  const category = {
    type: "category", data: names, inverse: lying, axisLabel: { ...text, hideOverlap: !lying, interval: lying ? 0 : "auto" },
    axisLine: { lineStyle: { color: QUIET } }, axisTick: { show: false },
  };
  const value = {
    type: "value", name: lying ? "" : unit, nameTextStyle: text, axisLabel: { ...text, hideOverlap: true }, splitLine: { lineStyle: { color: LINE } },
    scale: kind === "rates" || (kind === "run" && unit === "%"), max: unit === "%" ? (range) => Math.min(100, Math.ceil(range.max / 5) * 5) : null,
  };
  return {
    animation: false,
    textStyle: text,
    color: COLOURS,
    grid: { left: 12, right: 24, top: 44, bottom: 8, containLabel: true },
    legend: { top: 4, textStyle: text, icon: "roundRect" },
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, textStyle: { ...text, fontSize: 13 },
      valueFormatter: (shown) => (shown === null || shown === undefined ? "—" : `${shown}${unit}`),
    },
    xAxis: lying ? value : category,
    yAxis: lying ? category : value,
    series: told.series.map((each, at) => {
      const bar = lying || (kind === "amounts" && at < 2);
      return {
        name: each.name, data: lying ? each.values.slice(0, MOST) : each.values, type: bar ? "bar" : "line", barMaxWidth: 18,
        symbol: MARKS[at], symbolSize: 8, lineStyle: { width: 2, type: DASHES[at] }, connectNulls: false,
      };
    }),
  };
}

async function draw(element) {
  const table = document.getElementById(element.dataset.table);
  if (!table) return;
  const kind = element.dataset.chart, told = read(table, kind);
  if (!told.names.length || told.series.every((each) => each.values.every((value) => value === null))) {
    element.dataset.drawn = "nothing";
    return;
  }
  let echarts;
  try {
    echarts = await fetched(element.dataset.library);
  } catch {
    return; // the table says it all
  }
  element.hidden = false;
  if (LYING.has(kind)) element.style.height = `${6 + Math.min(told.names.length, MOST) * (told.series.length > 1 ? 2.2 : 1.6)}rem`;
  const chart = echarts.init(element, null, { renderer: "svg" });
  chart.setOption(option(kind, element.dataset.unit, told));
  new ResizeObserver(() => chart.resize()).observe(element);
  element.dataset.drawn = "yes";
}

// A chart that is hidden has no place of its own: its table is watched for coming in sight.
const waiting = new Map();
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    for (const element of waiting.get(entry.target) || []) draw(element);
  }
}, { rootMargin: "300px" });
for (const element of document.querySelectorAll("[data-chart]")) {
  const table = document.getElementById(element.dataset.table);
  if (!table) continue;
  waiting.set(table, [...(waiting.get(table) || []), element]);
  seen.observe(table);
}

// The map takes its colours from the table beside it.
for (const box of document.querySelectorAll("[data-colours]")) {
  const element = box.querySelector("[data-map]");
  const rows = [...document.querySelectorAll(`#${box.dataset.colours} tr[data-code]`)];
  const levels = {}, says = {};
  for (const { dataset } of rows) {
    if (dataset.level !== undefined) levels[dataset.code] = Number(dataset.level);
    if (dataset.says) says[dataset.code] = dataset.says;
  }
  const paint = async (own) => {
    await own.colour(levels, says);
    if (own.borders) own.map.fitBounds(own.borders.getBounds(), { animate: false });
    box.dataset.drawn = "yes";
  };
  if (element?.own) paint(element.own);
  else element?.addEventListener("opened", (event) => paint(event.detail));
}
