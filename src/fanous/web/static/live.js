/* Live: when the monitor says that something changed, the page's main part is fetched again and put in place.
   A form keeps what a reader has filled in, and while they do, nothing moves.
   What is embedded in another page has no stream, since many may be open: it asks every few minutes while it can be seen,
   and says if it gets no answer.
   Without this script every page is complete; it is only as old as when it was loaded. */
(() => {
  "use strict";
  const main = document.querySelector("main");
  const voice = document.getElementById("voice"), stale = document.getElementById("stale");
  if (!main || !window.EventSource || !window.DOMParser) return;
  let current = null, busy = false, again = false, shown = main.innerHTML;

  async function renew() {
    if (busy) { again = true; return; }
    busy = true;
    let answered = false;
    try {
      const answer = await fetch(location.href, { credentials: "omit", cache: "no-cache" });
      answered = answer.ok;
      if (answered) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { answered = false; /* offline: what stands, stands */ }
    if (stale) stale.hidden = answered;
    busy = false;
    if (again) { again = false; renew(); }
  }

  function put(fresh) {
    const own = document.querySelector("main"), next = fresh.querySelector("main");
    if (!next || shown === next.innerHTML || document.activeElement?.closest("main form")) return;
    shown = next.innerHTML;
    own.querySelectorAll("form[id]").forEach((form) => next.querySelector("#" + CSS.escape(form.id))?.replaceWith(form));
    const open = [...own.querySelectorAll("details[open][id]")].map((one) => one.id);
    const focused = document.activeElement && own.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && (focused.id ? "#" + CSS.escape(focused.id)
      : focused.getAttribute("href") ? `[href="${CSS.escape(focused.getAttribute("href"))}"]` : null);
    own.replaceChildren(...next.childNodes);
    open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
    if (place) own.querySelector(place)?.focus({ preventScroll: true });
    if (fresh.title) document.title = fresh.title;
    if (voice) voice.textContent = voice.dataset.changed;
    document.dispatchEvent(new Event("fanous:renewed"));
  }

  let stream = null;
  function listen() {
    stream = new EventSource("/live");
    stream.addEventListener("state", (event) => {
      if (current !== null && current !== event.data) renew();
      current = event.data;
    });
    /* A browser does not try again after a refusal: do so here, each page at a different moment. */
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 45000 + 45000 * Math.random());
    });
  }

  const every = 1000 * main.dataset.every;
  let due = 0;
  function ask() {
    if (document.hidden || Date.now() < due) return;
    due = Date.now() + every;
    renew();
  }
  if (every) {
    due = Date.now() + every * Math.random() + every / 2;
    setInterval(ask, every / 10);
    document.addEventListener("visibilitychange", ask);
    return;
  }
  listen();
  window.addEventListener("pagehide", () => stream.close());
})();
