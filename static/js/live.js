// Hears from the server that something changed and tells the page, which then fetches its parts anew.
//
// A part says with data-live="payments sessions" what it depends on and loads itself by
// hx-trigger="live:payments from:body, live:sessions from:body". Without this file, or while the server cannot be heard,
// pages stay as they were loaded or look every POLL_MS.

const POLL_MS = 30_000;
const SPACING_MS = 1_000;
const BACK_OFF_MS = [1_000, 2_000, 5_000, 15_000, 30_000, 60_000];

const url = location.pathname.startsWith("/client/") ? "/client/live/" : "/dashboard/live/";
const said = new Map();
let source = null;
let heard = "";
let failures = 0;
let retry = 0;
let isOver = false;
let wasDeaf = false;

function wanted() {
  const words = new Set();
  for (const place of document.querySelectorAll("[data-live]")) {
    for (const word of place.dataset.live.split(/\s+/)) if (word) words.add(word);
  }
  return [...words].sort();
}

function tell(word) {
  // However often a word is said, the parts load once in a while.
  if (said.has(word)) return;
  const timer = setTimeout(() => {
    said.delete(word);
    document.body.dispatchEvent(new CustomEvent(`live:${word}`, { bubbles: true }));
  }, SPACING_MS * Math.random());
  said.set(word, timer);
}

function tellAll() {
  for (const word of wanted()) tell(word);
}

function close() {
  clearTimeout(retry);
  retry = 0;
  source?.close();
  source = null;
  heard = "";
}

function open() {
  const words = wanted().join(",");
  if (isOver || document.hidden || words === "" || (source && words === heard)) return;
  close();
  heard = words;
  source = new EventSource(`${url}?words=${encodeURIComponent(words)}`);
  source.addEventListener("open", () => {
    failures = 0;
    if (wasDeaf) tellAll();
    wasDeaf = false;
  });
  source.addEventListener("word", (event) => tell(event.data));
  source.addEventListener("over", () => {
    isOver = true;
    close();
  });
  source.addEventListener("error", () => {
    close();
    wasDeaf = true;
    const wait = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)];
    failures += 1;
    retry = setTimeout(open, wait * (0.5 + Math.random()));
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    wasDeaf = source !== null || wasDeaf;
    close();
  } else {
    open();
  }
});
addEventListener("pagehide", close);
addEventListener("pageshow", open);
// Parts that were loaded later may depend on more.
document.body.addEventListener("htmx:afterSettle", open);

setInterval(() => {
  if (failures > 1 && !document.hidden && !isOver) tellAll();
}, POLL_MS);

// Nobody's question is answered for him, nobody's typing is lost and nobody's keyboard is left standing nowhere: a part in
// use stays as it is, and is told again when it is left.
const missed = new Set();

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  const [kind, word] = requestConfig?.triggeringEvent?.type?.split(":") ?? [];
  const isInUse = target.querySelector("details[open]") || target.querySelector(":focus-visible");
  if (kind !== "live" || !isInUse) return;
  event.detail.shouldSwap = false;
  missed.add(word);
});

function tellMissed() {
  for (const word of missed) tell(word);
  missed.clear();
}

document.body.addEventListener("focusout", tellMissed);
document.body.addEventListener("toggle", (event) => event.target.open || tellMissed(), true);

// Whoever was signed out meanwhile is led to the door, and does not find it inside a part of the page.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const came = xhr?.responseURL ? new URL(xhr.responseURL).pathname : "";
  const asked = new URL(pathInfo?.finalRequestPath ?? location.href, location.href).pathname;
  if (came !== asked && /^\/(account\/login|client\/sign-in)\//.test(came)) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

open();
