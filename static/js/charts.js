// Draws live charts with uPlot: <div data-uplot="ID">, the points as JSON in the script element ID. Without this file
// the table beside each chart stands alone.

const HEIGHT_PX = 220;
const drawn = new Map();
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (tone) => token(/^\d$/.test(tone) ? `--series-${tone}` : `--${tone}`);

// A colour of six digits with some of what is behind it showing.
const tint = (tone) => `${colour(tone)}26`;

const draw = (place) => {
  const source = document.getElementById(place.dataset.uplot);
  if (!source || !globalThis.uPlot) return;
  const { times, series, unit, zone } = JSON.parse(source.textContent);
  const hours = uPlot.fmtDate("{HH}:{mm}:{ss}");
  const local = (seconds) => hours(uPlot.tzDate(new Date(seconds * 1000), zone));
  const axis = {
    stroke: token("--muted"),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: token("--border"), width: 1 },
    ticks: { stroke: token("--border"), width: 1 },
  };
  const number = new Intl.NumberFormat(document.documentElement.lang || undefined, { maximumFractionDigits: 1 });
  const say = (value) => (value == null ? "–" : `${number.format(value)}${unit ? ` ${unit}` : ""}`);
  const options = {
    width: Math.max(place.clientWidth, 120),
    height: HEIGHT_PX,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    scales: { y: { range: (_plot, low, high) => [Math.min(low ?? 0, 0), Math.max(high ?? 0, 0) * 1.1 || 1] } },
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { live: true },
    series: [
      { value: (_plot, seconds) => (seconds == null ? "–" : local(seconds)) },
      ...series.map((one) => ({
        label: one.name,
        stroke: colour(one.tone),
        fill: series.length < 3 ? tint(one.tone) : undefined,
        width: 2,
        points: { show: false },
        value: (_plot, value) => say(value),
      })),
    ],
    axes: [
      { ...axis, values: (_plot, splits) => splits.map(local), space: 72, size: 28 },
      { ...axis, values: (_plot, splits) => splits.map((value) => number.format(value)), size: 56 },
    ],
  };
  drawn.get(place)?.destroy();
  drawn.set(place, new uPlot(options, [times, ...series.map((one) => one.values)], place));
  watcher.observe(place);
};

const watcher = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const plot = drawn.get(target);
    if (plot && target.clientWidth && plot.width !== target.clientWidth) {
      plot.setSize({ width: target.clientWidth, height: HEIGHT_PX });
    }
  }
});

const drawAll = () => {
  for (const [place, plot] of drawn) {
    if (place.isConnected) continue;
    plot.destroy();
    watcher.unobserve(place);
    drawn.delete(place);
  }
  for (const place of document.querySelectorAll("[data-uplot]")) if (!drawn.has(place)) draw(place);
};

drawAll();
document.addEventListener("htmx:load", drawAll);
document.addEventListener("theme:changed", () => {
  for (const place of drawn.keys()) draw(place);
});
