// The command palette, and shortcuts of one key. Without this file the search form of the top bar does its work.

const palette = document.getElementById("palette");
const sheet = document.getElementById("shortcuts");
const shell = document.querySelector(".shell");
const QUIET_MS = 150; // after the last letter, before customers are searched
const SEQUENCE_MS = 1500; // between the two keys of "g c"

if (palette?.showModal) {
  const input = palette.querySelector("input");
  const form = palette.querySelector("form");
  const list = palette.querySelector("[role=listbox]");
  const found = palette.querySelector("[data-palette-found]");
  const empty = palette.querySelector("[data-palette-empty]");
  let asking = null;
  let timer = 0;

  const shown = () => [...list.querySelectorAll("[role=option]:not([hidden])")];
  const selected = () => list.querySelector("[aria-selected=true]");

  const select = (option) => {
    selected()?.setAttribute("aria-selected", "false");
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };

  const tidy = () => {
    for (const group of list.querySelectorAll("[role=group]")) {
      group.hidden = !group.querySelector("[role=option]:not([hidden])");
    }
    const options = shown();
    empty.hidden = options.length > 0;
    input.setAttribute("aria-expanded", String(options.length > 0));
    if (!selected() || selected().hidden) select(options[0]);
  };

  const narrow = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of list.querySelectorAll("[data-words]")) {
      option.hidden = !words.every((word) => option.dataset.words.includes(word));
    }
    tidy();
  };

  const search = async () => {
    asking?.abort();
    const query = input.value.trim();
    if (!palette.dataset.found || query.length < 2) {
      found.replaceChildren();
      tidy();
      return;
    }
    asking = new AbortController();
    try {
      const address = `${palette.dataset.found}?${new URLSearchParams({ q: query })}`;
      const answer = await fetch(address, { signal: asking.signal });
      if (!answer.ok || answer.redirected) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      found.replaceChildren(...part.body.querySelectorAll("[role=option]"));
      tidy();
    } catch {
      // Another letter was typed, or the network is away: pages and actions are still there.
    }
  };

  const open = () => {
    if (palette.open) return;
    document.querySelector("dialog[open]")?.close();
    input.value = "";
    found.replaceChildren();
    select(null);
    palette.showModal();
    narrow();
    input.focus();
  };

  input.addEventListener("input", () => {
    narrow();
    clearTimeout(timer);
    timer = setTimeout(search, QUIET_MS);
  });
  input.addEventListener("keydown", (event) => {
    const options = shown();
    const at = options.indexOf(selected());
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 };
    if (event.key in moves && options.length && !((event.key === "Home" || event.key === "End") && input.value)) {
      event.preventDefault();
      select(options[(moves[event.key] + options.length) % options.length]);
    }
  });
  form.addEventListener("submit", (event) => {
    const option = selected();
    if (!option) return; // to the list of customers
    event.preventDefault();
    palette.close();
    location.assign(option.href);
  });
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== selected()) select(option);
  });

  const top = document.querySelector("[data-search]");
  let before = "";
  let beforeAt = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      open();
      return;
    }
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    const isAsked = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
    if (shell?.dataset.shortcuts === "off" || isTyping || isAsked || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      open();
    } else if (event.key === "?") {
      event.preventDefault();
      sheet.showModal();
    } else if (event.key.length === 1) {
      const keys = before && event.timeStamp - beforeAt < SEQUENCE_MS ? `${before} ${event.key}` : event.key;
      const option = list.querySelector(`[data-keys="${CSS.escape(keys)}"]`);
      before = keys === "g" ? keys : "";
      beforeAt = event.timeStamp;
      if (option) location.assign(option.href);
    }
  });
  top?.addEventListener("pointerdown", (event) => {
    // A finger wants the field itself; a mouse gets what Ctrl K gives.
    if (event.pointerType !== "mouse") return;
    event.preventDefault();
    open();
  });
}
