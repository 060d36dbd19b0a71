/* Search: suggestions below a search field while someone types, after the ARIA pattern "combobox with list".
   Arrow keys choose, Enter opens, Escape closes; Enter without a choice searches, as it does without this script. */
(() => {
  "use strict";
  const PAUSE = 150, LEAST = 2;
  const voice = document.getElementById("voice");

  function Field(input, number) {
    const form = input.form, list = document.createElement("ul"), id = `hints${number}`;
    let waiting = 0, asked = null, at = -1, shown = "";
    list.id = id;
    list.className = "hints";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.dataset.hints);
    input.after(list);
    input.autocomplete = "off";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", id);
    close();

    function close() {
      clearTimeout(waiting);
      asked?.abort();
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      choose(-1);
    }

    function choose(to) {
      at = to;
      [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
      if (at < 0) input.removeAttribute("aria-activedescendant");
      else input.setAttribute("aria-activedescendant", list.children[at].id);
    }

    function show(found) {
      list.replaceChildren(...found.map(({ title, path }, n) => {
        const item = document.createElement("li");
        item.id = `${id}-${n}`;
        item.dir = "auto";
        item.setAttribute("role", "option");
        item.dataset.path = path;
        item.textContent = title;
        return item;
      }));
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      choose(-1);
      if (voice && found.length) voice.textContent = `${input.dataset.hints}: ${found.length}`;
    }

    async function ask(text) {
      asked?.abort();
      const own = asked = new AbortController();
      const query = new URLSearchParams({ q: text }), lang = form.elements.namedItem("lang");
      if (lang) query.set("lang", lang.value);
      try {
        const answer = await fetch(`/search.json?${query}`, { credentials: "omit", signal: own.signal });
        if (!answer.ok || own.signal.aborted) return;
        const found = (await answer.json()).suggestions;
        if (document.activeElement === input && input.value.trim() === text) show(found);
      } catch { /* offline, or typed on: the field still searches */ }
    }

    input.addEventListener("input", () => {
      const text = input.value.trim();
      if (text === shown) return;
      shown = text;
      clearTimeout(waiting);
      if (text.length < LEAST) close();
      else waiting = setTimeout(() => ask(text), PAUSE);
    });
    input.addEventListener("keydown", (event) => {
      const count = list.hidden ? 0 : list.children.length;
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !count) return;
      if (event.key === "ArrowDown") choose(at + 1 < count ? at + 1 : -1);
      else if (event.key === "ArrowUp") choose(at < 0 ? count - 1 : at - 1);
      else if (event.key === "Escape") close();
      else if (event.key === "Enter" && at >= 0) location.assign(list.children[at].dataset.path);
      else return;
      event.preventDefault();
    });
    input.addEventListener("blur", close);
    /* Before the field loses the focus, which would close the list. */
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) location.assign(item.dataset.path);
    });
  }

  document.querySelectorAll("input[data-hints]").forEach(Field);
})();
