// Draws charts of reports with ECharts: <div data-report="ID">, their numbers as JSON in the script element ID. Without
// this file the table beside each chart stands alone.

const BAR_MOST = 34; // more labels than this are looked at piece by piece
const drawn = new Map();
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (tone) => token(/^\d$/.test(tone) ? `--series-${tone}` : `--${tone}`);
const language = document.documentElement.lang || undefined;

const writer = ({ unit, digits }) => {
  const number = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => (value == null ? "–" : `${number.format(value)}${unit ? ` ${unit}` : ""}`);
};

const look = () => {
  const text = { color: token("--muted"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
  const line = { lineStyle: { color: token("--border") } };
  return {
    text,
    axis: { axisLine: line, axisTick: { show: false }, splitLine: { ...line, show: true }, axisLabel: text },
    base: {
      animation: false,
      textStyle: text,
      tooltip: {
        renderMode: "richText",
        confine: true,
        backgroundColor: token("--raised"),
        borderColor: token("--border"),
        textStyle: { ...text, color: token("--text") },
      },
    },
  };
};

const trend = (data) => {
  const { text, axis, base } = look();
  const short = new Intl.NumberFormat(language, { notation: "compact" });
  const isLong = data.labels.length > BAR_MOST;
  return {
    ...base,
    color: data.series.map((one) => colour(one.tone)),
    tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: writer(data) },
    legend: { top: 0, left: 0, padding: 0, textStyle: text, icon: "roundRect", itemWidth: 12, itemHeight: 12 },
    grid: { left: 4, right: 12, top: 36, bottom: isLong ? 52 : 4, containLabel: true },
    xAxis: { ...axis, type: "category", data: data.labels, splitLine: { show: false } },
    yAxis: { ...axis, type: "value", axisLine: { show: false }, axisLabel: { ...text, formatter: (value) => short.format(value).replace("K", "k") } },
    dataZoom: isLong ? [{ type: "slider", height: 24, bottom: 8, textStyle: text }] : [],
    series: data.series.map((one) => ({
      name: one.name,
      type: data.kind === "bars" ? "bar" : "line",
      stack: data.kind === "bars" ? "all" : undefined,
      barMaxWidth: 40,
      symbolSize: 6,
      data: one.values,
    })),
  };
};

const heat = (data) => {
  const { text, axis, base } = look();
  const say = writer(data);
  const most = Math.max(...data.cells.map(([, , value]) => value), 1);
  return {
    ...base,
    tooltip: { ...base.tooltip, formatter: ({ value: [x, y, value] }) => `${data.rows[y]} ${data.columns[x]}: ${say(value)}` },
    grid: { left: 4, right: 4, top: 4, bottom: 48, containLabel: true },
    xAxis: { ...axis, type: "category", data: data.columns, splitLine: { show: false } },
    yAxis: { ...axis, type: "category", data: data.rows, inverse: true, splitLine: { show: false } },
    visualMap: {
      min: 0,
      max: most,
      calculable: false,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 140,
      itemWidth: 12,
      text: [say(most), "0"],
      textStyle: text,
      inRange: { color: [token("--raised"), token("--primary")] },
    },
    series: [{ type: "heatmap", data: data.cells, itemStyle: { borderColor: token("--surface"), borderWidth: 1 } }],
  };
};

const draw = (place) => {
  const source = document.getElementById(place.dataset.report);
  if (!source || !globalThis.echarts) return;
  const data = JSON.parse(source.textContent);
  drawn.get(place)?.dispose();
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption(data.kind === "heat" ? heat(data) : trend(data));
  drawn.set(place, chart);
  watcher.observe(place);
};

const watcher = new ResizeObserver((changes) => {
  for (const { target } of changes) if (target.clientWidth) drawn.get(target)?.resize();
});

const drawAll = () => {
  for (const [place, chart] of drawn) {
    if (place.isConnected) continue;
    chart.dispose();
    watcher.unobserve(place);
    drawn.delete(place);
  }
  for (const place of document.querySelectorAll("[data-report]")) if (!drawn.has(place)) draw(place);
};

drawAll();
document.addEventListener("htmx:load", drawAll);
document.addEventListener("theme:changed", () => {
  for (const place of drawn.keys()) draw(place);
});
