/**
 * The script of the HTML page. It binds the rows of the selected link to the plots, draws them in the theme of the
 * page and wires the selector, the legend and the tooltip. Plain browser JavaScript, inlined as it stands.
 */
export const PAGE_SCRIPT: string = `
(() => {
  "use strict";
  const { vega, vegaLite } = window;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("ccpark-data");
  const charts = read("ccpark-charts");
  const configs = read("ccpark-config");
  const views = {};
  const hidden = new Set();
  let linkIndex = 0;

  const darkQuery = matchMedia("(prefers-color-scheme: dark)");
  let chosenTheme = null;
  const theme = () => chosenTheme ?? (darkQuery.matches ? "dark" : "light");

  // the last series is drawn on top, and the first contender matters most
  const courseRows = (link) =>
    link.series.toReversed().flatMap((s) =>
      s.timeSec.map((timeSec, i) => ({
        algorithm: s.algorithm,
        timeSec,
        throughputMbps: s.throughputMbps[i],
        queueDelayMs: s.queueDelayMs[i],
        cwndPackets: s.cwndPackets[i],
      })),
    );
  const capacityRows = (link) => {
    const first = link.series[0];
    if (first === undefined) return [];
    const rows = first.timeSec.map((timeSec, i) => ({ timeSec, capacityMbps: first.capacityMbps[i] }));
    return [{ timeSec: 0, capacityMbps: first.capacityMbps[0] }, ...rows];
  };
  const datasets = (link) => ({
    series: courseRows(link),
    capacity: capacityRows(link),
    summary: link.summary,
    records: link.records,
    learning: data.learning,
  });

  const tip = document.getElementById("tip");
  const tooltip = (_handler, event, _item, value) => {
    if (value == null || value === "") {
      tip.hidden = true;
      return;
    }
    const rows = Object.entries(value).filter(([name, v]) => !hidden.has(name) && v !== undefined && v !== "NaN");
    tip.replaceChildren(
      ...rows.map(([name, v]) => {
        const row = document.createElement("div");
        const key = document.createElement("span");
        key.textContent = name;
        if (data.colours[name]) key.style.color = "var(--c-" + data.names.indexOf(name) + ")";
        const val = document.createElement("b");
        val.textContent = String(v);
        row.append(key, val);
        return row;
      }),
    );
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = event.clientX + 16 + box.width > innerWidth ? event.clientX - 16 - box.width : event.clientX + 16;
    const top = Math.min(event.clientY + 12, innerHeight - box.height - 8);
    tip.style.transform = "translate(" + Math.max(8, left) + "px," + Math.max(8, top) + "px)";
  };

  const draw = async (names) => {
    const rows = datasets(data.links[linkIndex]);
    await Promise.all(
      names.map(async (name) => {
        const element = document.getElementById("plot-" + name);
        if (element === null) return;
        views[name]?.finalize();
        element.replaceChildren();
        const compiled = vegaLite.compile({ ...charts[name], datasets: rows }, { config: configs[theme()] }).spec;
        const view = new vega.View(vega.parse(compiled), { renderer: "svg", container: element, hover: true });
        view.tooltip(tooltip);
        view.signal("hidden", [...hidden]);
        await view.runAsync();
        views[name] = view;
      }),
    );
  };

  const allPlots = Object.keys(charts);
  const linkPlots = allPlots.filter((name) => !name.startsWith("learning"));
  let drawing = Promise.resolve();
  const redraw = (names) => (drawing = drawing.then(() => draw(names)));

  const selector = document.getElementById("link");
  const tables = [...document.querySelectorAll("[data-link]")];
  const select = (index) => {
    linkIndex = index;
    selector.value = String(index);
    for (const table of tables) table.hidden = Number(table.dataset.link) !== index;
    return redraw(linkPlots);
  };
  selector.addEventListener("change", () => select(Number(selector.value)));
  for (const jump of document.querySelectorAll("[data-jump]")) {
    jump.addEventListener("click", () => {
      select(Number(jump.dataset.jump));
      document.getElementById("link-section").scrollIntoView({ behavior: "smooth" });
    });
  }

  for (const box of document.querySelectorAll("#legend input")) {
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(box.value);
      else hidden.add(box.value);
      return redraw(linkPlots);
    });
  }

  const toggle = document.getElementById("theme");
  const applyTheme = () => {
    document.documentElement.dataset.theme = theme();
    toggle.textContent = theme() === "dark" ? "Light" : "Dark";
    return redraw(allPlots);
  };
  toggle.addEventListener("click", () => {
    chosenTheme = theme() === "dark" ? "light" : "dark";
    applyTheme();
  });
  darkQuery.addEventListener("change", applyTheme);

  let resizing = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(resizing);
    resizing = setTimeout(() => redraw(allPlots), 150);
  });

  for (const table of tables) table.hidden = Number(table.dataset.link) !== 0;
  window.ccparkReport = { data, views, select, ready: applyTheme() };
})();
`;
