(() => {
  "use strict";
  const root = document.documentElement;
  const all = (query) => Array.from(document.querySelectorAll(query));
  const data = (key) => JSON.parse(document.getElementById("data-" + key).textContent);
  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const viewers = new Map();

  // Theme: the system's, until the button says otherwise.
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  let chosen = null;
  function setTheme(theme) {
    root.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", "Switch to " + button.textContent.toLowerCase() + " colours");
  }
  function repaint() {
    all(".plot.drawn").forEach((plot) => draw(plot));
    viewers.forEach((viewer) => paintViewer(viewer));
  }
  setTheme(system.matches ? "dark" : "light");
  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    setTheme(chosen);
    repaint();
  });
  system.addEventListener("change", () => {
    if (chosen === null) { setTheme(system.matches ? "dark" : "light"); repaint(); }
  });

  // Plots. Text from data is shown as it is: plotly would read tags in it.
  const templates = new Set(["hovertemplate", "texttemplate"]);
  function inert(value, key) {
    if (typeof value === "string") {
      if (templates.has(key)) { return value; }
      return value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\n/g, "<br>");
    }
    if (Array.isArray(value)) { return typeof value[0] === "number" ? value : value.map((item) => inert(item, key)); }
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inert(item, name)]));
    }
    return value;
  }
  function coloured(traces) {
    let next = 0;
    return traces.map((trace) => {
      const own = (trace.line && trace.line.color) || (trace.marker && trace.marker.color);
      if (own || ["heatmap", "contour", "surface"].includes(trace.type)) { return trace; }
      const given = trace.meta && Number.isInteger(trace.meta.colour) ? trace.meta.colour : next++;
      const paint = colour("c" + (given % 8));
      const painted = { ...trace, marker: { ...trace.marker, color: paint } };
      if (trace.type !== "bar" && trace.type !== "histogram") { painted.line = { width: 2, ...trace.line, color: paint }; }
      if (trace.fill) { painted.fillcolor = paint; }
      return painted;
    });
  }
  // Labels of a logarithmic axis: 1, 2, 5 over few decades, powers of ten over many.
  function logarithmic(values) {
    const positive = values.flat().filter((value) => value > 0);
    if (!positive.length) { return {}; }
    const [low, high] = positive.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, 0]);
    const decades = Math.log10(high / low);
    return { dtick: decades < 0.5 ? "D1" : decades < 2.5 ? "D2" : Math.ceil(decades / 7), ...(low > 1e-4 && high < 1e5 ? { tickformat: ".3~g" } : { exponentformat: "power" }) };
  }
  function axis(given, values, room, pace) {
    const title = { standoff: 10, ...(given && given.title), font: { size: 12.5, color: colour("soft") } };
    const base = {
      gridcolor: colour("grid"), zerolinecolor: colour("edge"), linecolor: colour("axis"), tickcolor: colour("axis"),
      ticks: "outside", ticklen: 4, showline: true, automargin: true, nticks: Math.max(3, Math.min(8, Math.floor(room / pace))),
    };
    return { ...base, ...(given && given.type === "log" ? logarithmic(values) : {}), ...given, title };
  }
  function themed(layout, traces, plot) {
    const ink = colour("soft");
    const themedLayout = {
      ...layout, autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: colour("sans"), size: 12, color: ink },
      margin: { l: 54, r: 14, t: 10, b: 46, ...layout.margin },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12 }, itemsizing: traces.every((trace) => trace.mode === "lines") ? "trace" : "constant", ...layout.legend },
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("axis"), font: { family: colour("sans"), color: colour("ink"), size: 12.5 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("faint"), activecolor: colour("accent") },
      dragmode: window.matchMedia("(pointer: coarse)").matches ? false : layout.dragmode || "zoom",
    };
    delete themedLayout.height;
    const annotations = layout.annotations || [];
    themedLayout.annotations = annotations.map((note) => ({ borderpad: 2, ...note, font: { size: 12, color: colour("ink") } }));
    if (!layout.scene) {
      themedLayout.xaxis = axis(layout.xaxis, traces.map((trace) => trace.x || []), plot.clientWidth - 90, 52);
      themedLayout.yaxis = axis(layout.yaxis, traces.map((trace) => trace.y || []), plot.clientHeight, 42);
    }
    return themedLayout;
  }
  // `plotlyServerURL` and `showSendToCloud`: plotly's own button would hand the data to a server.
  const config = {
    responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "", showLink: false, topojsonURL: "", displayModeBar: window.matchMedia("(pointer: coarse)").matches ? false : "hover",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "toImage", "sendChartToCloud"],
  };
  async function draw(plot, extra) {
    const { traces, layout } = data(plot.dataset.key);
    const finished = { ...themed(inert(layout), traces, plot), ...extra };
    if (plot.classList.contains("drawn")) { window.Plotly.purge(plot); }  // drawn over, a legend's margin is lost
    await window.Plotly.newPlot(plot, coloured(traces.map((trace) => inert(trace))), finished, config);
    plot.classList.add("drawn");
  }

  // Structures.
  function hasGraphics() {
    const context = document.createElement("canvas").getContext("webgl2") || document.createElement("canvas").getContext("webgl");
    const lose = context && context.getExtension("WEBGL_lose_context");
    if (lose) { lose.loseContext(); }
    return Boolean(context);
  }
  function paintViewer(viewer) {
    viewer.setBackgroundColor(colour("card"), 1);
    if (viewer.cell) {
      viewer.removeUnitCell(viewer.model);
      const label = { fontColor: colour("ink"), showBackground: false, alignment: "center", inFront: true, fontSize: 16 };
      const arrow = { color: colour("faint"), radius: 0.08, midpos: -1 };
      viewer.addUnitCell(viewer.model, {
        box: { color: colour("faint") }, astyle: { ...arrow }, bstyle: { ...arrow }, cstyle: { ...arrow },
        alabel: "a", blabel: "b", clabel: "c", alabelstyle: { ...label }, blabelstyle: { ...label }, clabelstyle: { ...label },
      });
    }
    viewer.render();
  }
  function listElements(place, atoms) {
    const palette = window.$3Dmol.elementColors.Jmol;
    const counts = new Map();
    atoms.forEach((atom) => counts.set(atom.elem, (counts.get(atom.elem) || 0) + 1));
    counts.forEach((count, element) => {
      const item = document.createElement("span");
      const dot = document.createElement("i");
      dot.style.background = "#" + (palette[element] === undefined ? 0xff1493 : palette[element]).toString(16).padStart(6, "0");
      item.append(dot, element + " × " + count);
      place.append(item);
    });
  }
  function show(place) {
    const { format, text } = data(place.dataset.key);
    const viewer = window.$3Dmol.createViewer(place, { backgroundColor: colour("card"), antialias: true, disableFog: true });
    viewer.model = viewer.addModel(text, format, { assignBonds: true });
    const atoms = viewer.model.selectedAtoms({});
    const small = atoms.length <= 400;
    const sphere = { scale: small ? 0.3 : 0.4, colorscheme: "Jmol" };
    viewer.setStyle({}, small ? { sphere, stick: { radius: 0.11, colorscheme: "Jmol" } } : { sphere });
    const cell = viewer.model.getCrystData();
    viewer.cell = Boolean(cell);
    paintViewer(viewer);
    viewer.reset = () => {
      viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
      viewer.rotate(-22, "vz"); viewer.rotate(-74, "vx"); viewer.zoomTo(); viewer.zoom(1.1); viewer.render();
    };
    viewer.reset();
    viewers.set(place.dataset.key, viewer);
    listElements(place.parentElement.querySelector(".elements"), atoms);
    place.dataset.atoms = String(atoms.length);
    place.addEventListener("wheel", (event) => { if (document.activeElement !== place) { event.stopPropagation(); } }, { capture: true });
    new ResizeObserver(() => viewer.resize()).observe(place);
    const turns = { ArrowLeft: [-8, "y"], ArrowRight: [8, "y"], ArrowUp: [-8, "x"], ArrowDown: [8, "x"] };
    place.addEventListener("keydown", (event) => {
      if (turns[event.key]) { viewer.rotate(...turns[event.key]); } else if (event.key === "+" || event.key === "=") { viewer.zoom(1.15); }
      else if (event.key === "-") { viewer.zoom(0.87); } else { return; }
      event.preventDefault();
      viewer.render();
    });
  }
  function offer(place) {
    const start = document.createElement("button");
    start.type = "button";
    start.textContent = "Show in 3-D";
    place.classList.add("failed");
    place.append(start);
    start.addEventListener("click", () => { start.remove(); place.classList.remove("failed"); show(place); });
  }

  // Saving.
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  };
  const csv = (rows) => rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  function tableRows(columns) {
    const values = Object.values(columns);
    const count = values.length ? values[0].length : 0;
    return [Object.keys(columns), ...Array.from({ length: count }, (_, row) => values.map((column) => column[row]))];
  }
  function figureRows(traces) {
    const axes = ["x", "y", "z"].filter((name) => traces.some((trace) => Array.isArray(trace[name])));
    const rows = [["trace", ...axes, "error_y"]];
    traces.forEach((trace, number) => {
      const length = Math.max(0, ...axes.map((name) => (trace[name] || []).length));
      const errors = (trace.error_y && trace.error_y.array) || [];
      for (let row = 0; row < length; row += 1) {
        rows.push([trace.name || number, ...axes.map((name) => (trace[name] || [])[row]), errors[row]]);
      }
    });
    return rows;
  }
  function save(name, content, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  const savers = {
    csv: (stem, { traces, columns }) => save(stem + ".csv", csv(columns ? tableRows(columns) : figureRows(traces)), "text/csv"),
    json: (stem, { traces, layout, columns }) => save(stem + ".json", JSON.stringify(columns ? { columns } : { traces, layout }, null, 1), "application/json"),
    text: (stem, { text, format }) => save(stem + "." + format, text, "text/plain"),
    svg: (stem, _, key) => window.Plotly.downloadImage(all('.plot[data-key="' + key + '"]')[0], { format: "svg", filename: stem, width: 800, height: 560 }),
    reset: (_, __, key) => { if (viewers.has(key)) { viewers.get(key).reset(); } },
    file: (_, { name, base64 }) => save(name, Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), "application/octet-stream"),
  };
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-save]");
    if (!pressed) { return; }
    const content = data(pressed.dataset.key);
    const stem = (content.name || "data").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "data";
    savers[pressed.dataset.save](stem, content, pressed.dataset.key);
  });

  // Printing: light colours, the width of the paper, pictures for the structures.
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    setTheme("light");
    all(".plot.drawn").forEach((plot) => draw(plot, { autosize: false, width: 640, height: plot.parentElement.offsetHeight }));
    viewers.forEach((viewer, key) => {
      paintViewer(viewer);
      const picture = new Image();
      picture.className = "printed";
      picture.src = viewer.pngURI();
      picture.alt = "";
      all('.viewer[data-key="' + key + '"]')[0].append(picture);
    });
    all("details").forEach((part) => { part.dataset.open = String(part.open); if (part.closest(".run")) { part.open = true; } });
  });
  window.addEventListener("afterprint", () => {
    all(".printed").forEach((picture) => picture.remove());
    all("details").forEach((part) => { part.open = part.dataset.open === "true"; });
    setTheme(before);
    repaint();
  });

  // Where the reader is.
  const links = new Map(all("nav a").map((link) => [link.getAttribute("href").slice(1), link]));
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    entries.forEach((entry) => (entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id)));
    const current = [...links.keys()].find((id) => seen.has(id));
    links.forEach((link, id) => (id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  }, { rootMargin: "-15% 0px -60% 0px" });
  all("main section").forEach((part) => watcher.observe(part));

  // Draw one after another, so that the page answers in between.
  function failed(place, text) { place.classList.add("failed"); place.textContent = text; }
  async function drawAll() {
    for (const plot of all(".plot")) {
      try { await draw(plot); } catch (error) { failed(plot, "This plot could not be drawn; its numbers are below."); console.error(error); }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const places = all(".viewer");
    const graphics = places.length > 0 && hasGraphics();
    places.forEach((place, number) => {
      if (!graphics) { failed(place, "This browser shows no 3-D graphics (WebGL). The structure is in the file below."); return; }
      if (number >= 6) { offer(place); return; }
      try { show(place); } catch (error) { failed(place, "This structure could not be drawn; it is in the file below."); console.error(error); }
    });
    root.dataset.drawn = "yes";
  }
  drawAll();
})();
