/* Chart: shows the values where the pointer or the arrow keys are, and zooms in (plus, minus, buttons); the chart
   can then be dragged.  Without this script every chart is complete; nothing here moves by itself. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg", HOUR = 3600, DAY = 86400;
  const STEPS = [600, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 28 * DAY];
  const LEAST_BINS = 6, TICK_ROOM = 90;
  const MOVING = ["shade", "works", "slowed", "blocked", "band", "line", "bound", "lasts", "past", "event"].map((name) => `:scope > path.${name}, :scope > rect.${name}`).join();
  const code = document.documentElement.lang || "en";
  const locale = `${code === "en" ? "en-GB" : code}-u-ca-gregory-nu-${code === "fa" ? "arabext" : "latn"}`;
  const percent = new Intl.NumberFormat(locale, { style: "percent" });
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const left = new Map();

  function made(name, attributes, parent) {
    const one = document.createElementNS(SVG, name);
    for (const key in attributes) one.setAttribute(key, attributes[key]);
    return parent.appendChild(one);
  }

  /* One figure: its numbers, the part in view, and the bin that is read. */
  function Chart(figure, number) {
    const list = figure.querySelector("ul.lines[data-start]");
    const { start, step, offset, zone, words } = list.dataset;
    const [none, closer, wider, hint] = words.split("|");
    const lines = [...list.children].map((item) => ({
      name: item.textContent.trim(),
      shares: item.dataset.shares.split(",").map((text) => (text === "" ? null : Number(text) / 100)),
    }));
    const bins = Math.max(...lines.map((line) => line.shares.length));
    const state = { first: 0, count: bins, at: null, ...left.get(number) };
    const views = [...figure.querySelectorAll("svg[data-frame]")].map(view);
    const [said, nearer, farther] = tools();
    if (state.at !== null && state.at >= bins) state.at = null;
    show();

    function when(bin) {
      const from = Number(start) + bin * Number(step) + Number(offset), to = from + Number(step);
      const first = new Date(from * 1000), last = new Date(to * 1000);
      if (step % DAY === 0) return step > DAY ? `${date.format(first)} – ${date.format(new Date((to - DAY) * 1000))}` : date.format(first);
      return `${date.format(first)} \u2066${clock.format(first)}–${clock.format(last)} ${zone}\u2069`;
    }

    /* Each part is isolated, so that a name in another script does not disturb its neighbours. */
    function parts(bin) {
      return [when(bin), ...lines.map(({ name, shares }) => {
        const share = shares[bin];
        return `\u2068${name}\u2069: \u2068${share === null || share === undefined ? none : percent.format(share)}\u2069`;
      })];
    }

    function told(bin) {
      return parts(bin).map((text) => {
        const part = document.createElement("bdi");
        part.dir = getComputedStyle(figure).direction;
        part.textContent = text;
        return part;
      });
    }

    function tools() {
      const row = document.createElement("p");
      row.className = "tools";
      const text = document.createElement("span");
      text.className = "reading";
      const buttons = [["+", closer, 0.5], ["−", wider, 2]].map(([sign, word, factor]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = sign;
        button.title = word;
        button.setAttribute("aria-label", word);
        button.addEventListener("click", () => zoom(factor));
        return button;
      });
      row.append(...buttons, text);
      views[views.length - 1].box.after(row);
      return [text, ...buttons];
    }

    /* A drawing becomes one that can be read: its lines go into a group that is clipped, stretched and moved. */
    function view(svg, n) {
      const [west, east, top, bottom] = svg.dataset.frame.split(" ").map(Number), id = `pane${number}-${n}`;
      const clip = made("clipPath", { id }, svg);
      made("rect", { x: west, y: 0, width: east - west, height: svg.viewBox.baseVal.height }, clip);
      const pane = made("g", { "clip-path": `url(#${id})` }, svg), moving = made("g", { class: "moving" }, pane);
      moving.append(...svg.querySelectorAll(MOVING));
      const texts = [...svg.querySelectorAll(":scope > .eventname")].map((text) => ({ text, x: Number(text.getAttribute("x")) }));
      texts.forEach(({ text }) => pane.append(text));
      const fixed = [...svg.querySelectorAll(":scope > .tick")].filter((tick) => tick.getAttribute("x") >= west);
      const own = made("g", {}, svg), cursor = made("path", { class: "cursor" }, svg);
      const dots = lines.map((_, line) => made("circle", { class: `spot l${line}`, r: 4 }, svg));
      const panels = (svg.dataset.panels || `${top} ${bottom}`).split(";").map((each) => each.split(" ").map(Number));
      const place = {
        svg, panels, west, east, top, bottom, moving, texts, fixed, own, cursor, dots,
        high: Number(svg.dataset.top), box: svg.parentElement,
      };
      listen(place);
      return place;
    }

    function listen({ svg, box, west, east }) {
      const title = svg.querySelector("title"), story = svg.querySelector("desc");
      box.tabIndex = 0;
      box.setAttribute("role", "slider");
      box.setAttribute("aria-label", `${title.textContent}. ${hint}`);
      box.setAttribute("aria-describedby", story.id);
      box.setAttribute("aria-valuemin", 0);
      box.setAttribute("aria-valuemax", bins - 1);
      let held = null;
      const share = (event) => {
        const area = svg.getBoundingClientRect(), x = (event.clientX - area.left) * svg.viewBox.baseVal.width / area.width;
        return Math.min(Math.max((x - west) / (east - west), 0), 0.999999);
      };
      box.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        held = { at: share(event), first: state.first };
        box.setPointerCapture(event.pointerId);
      });
      box.addEventListener("pointermove", (event) => {
        if (held && state.count < bins) pan(held.first + (held.at - share(event)) * state.count);
        else read(Math.floor(state.first + share(event) * state.count));
      });
      ["pointerup", "pointercancel"].forEach((kind) => box.addEventListener(kind, () => { held = null; }));
      box.addEventListener("pointerleave", () => { if (document.activeElement !== box) read(null); });
      box.addEventListener("focus", () => { if (state.at === null && box.matches(":focus-visible")) read(Math.floor(state.first)); });
      box.addEventListener("blur", () => read(null));
      box.addEventListener("keydown", (event) => {
        const now = state.at ?? Math.floor(state.first), page = Math.max(1, Math.round(state.count / 4));
        const to = { ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, Home: 0, End: bins - 1,
          PageUp: now + page, PageDown: now - page }[event.key];
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (to !== undefined) { follow(to); } else if (event.key === "+" || event.key === "=") zoom(0.5);
        else if (event.key === "-") zoom(2); else if (event.key === "Escape") read(null); else return;
        event.preventDefault();
      });
    }

    function follow(bin) {
      const to = Math.min(Math.max(bin, 0), bins - 1);
      if (to < state.first) state.first = to;
      if (to + 1 > state.first + state.count) state.first = to + 1 - state.count;
      read(to);
    }

    function read(bin) {
      if (bin === state.at && bin === null) return;
      state.at = bin === null ? null : Math.min(Math.max(bin, 0), bins - 1);
      show();
    }

    function zoom(factor) {
      const count = Math.min(Math.max(state.count * factor, Math.min(LEAST_BINS, bins)), bins);
      const middle = state.at === null ? state.first + state.count / 2 : state.at + 0.5;
      state.count = count;
      pan(middle - count / 2);
    }

    function pan(first) {
      state.first = Math.min(Math.max(first, 0), bins - state.count);
      show();
    }

    function show() {
      left.set(number, { ...state });
      views.forEach(draw);
      said.replaceChildren(...(state.at === null ? [] : told(state.at)));
      nearer.disabled = state.count <= Math.min(LEAST_BINS, bins);
      farther.disabled = state.count >= bins;
    }

    function draw(one) {
      const stretch = bins / state.count, width = one.east - one.west, is_whole = state.count >= bins;
      const x = (bin) => one.west + (bin - state.first) / state.count * width;
      const moved = one.west - stretch * (one.west + state.first / bins * width);
      one.moving.setAttribute("transform", `matrix(${stretch} 0 0 1 ${moved} 0)`);
      one.texts.forEach(({ text, x: at }) => text.setAttribute("x", stretch * (at - 5) + moved + 5));
      one.fixed.forEach((tick) => { tick.style.display = is_whole ? "" : "none"; });
      one.own.replaceChildren();
      if (!is_whole) ticks(one, x);
      const is_read = state.at !== null && state.at + 1 > state.first && state.at < state.first + state.count;
      const at = is_read ? x(state.at + 0.5) : 0;
      one.cursor.setAttribute("d", is_read ? `M${at} ${one.top}V${one.bottom}` : "");
      one.dots.forEach((dot, line) => {
        const share = is_read ? lines[line].shares[state.at] : null;
        dot.style.display = share === null || share === undefined ? "none" : "";
        dot.setAttribute("cx", at);
        const [high, low] = one.panels[Math.min(line, one.panels.length - 1)];
        const part = Math.min((share ?? 0) / one.high, 1) * (low - high);
        dot.setAttribute("cy", one.svg.dataset.panels ? high + part : low - part);
      });
      one.box.classList.toggle("near", !is_whole);
      const bin = state.at ?? Math.floor(state.first);
      one.box.setAttribute("aria-valuenow", bin);
      one.box.setAttribute("aria-valuetext", parts(bin).join("; "));
    }

    /* Round hours of the country's clock, as on the whole chart, which the server draws. */
    function ticks(one, x) {
      const span = state.count * step, most = (one.east - one.west) / TICK_ROOM;
      const every = STEPS.find((seconds) => span / seconds <= most) || STEPS[STEPS.length - 1];
      const from = Number(start) + state.first * step + Number(offset);
      for (let at = Math.ceil(from / every) * every; at <= from + span; at += every) {
        const moment = new Date(at * 1000), place = x((at - Number(offset) - start) / step);
        const text = made("text", { class: "tick", x: place, y: one.bottom + 19, "text-anchor":
          place < one.west + 24 ? "start" : place > one.east - 24 ? "end" : "middle" }, one.own);
        text.textContent = at % DAY === 0 ? date.format(moment) : clock.format(moment);
      }
    }
  }

  function improve() {
    document.querySelectorAll("figure.chart").forEach((figure, number) => {
      if (figure.querySelector("ul.lines[data-start] li") && !figure.querySelector(".tools")) Chart(figure, number);
    });
  }

  improve();
  document.addEventListener("fanous:renewed", improve);
})();
