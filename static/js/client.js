// Lets a payment's page move on by itself, and an installed portal open without a network. Without this file the links
// on the page do the former.

const worker = document.querySelector("[data-worker]")?.dataset.worker;
if (worker && "serviceWorker" in navigator) {
  navigator.serviceWorker.register(worker).catch(() => {
    // A browser in private mode keeps nothing: the portal works all the same.
  });
}

let timer = 0;

async function look() {
  clearTimeout(timer);
  const place = document.querySelector("[data-poll-url]");
  if (!place) return;
  try {
    const answer = await fetch(place.dataset.pollUrl, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.body.firstElementChild;
      // The same again stays as it is, so that nobody hears it read aloud every few seconds.
      if (fresh && fresh.textContent !== place.textContent) place.replaceWith(fresh);
    }
  } catch {
    // The network is away for a moment: the next look may succeed.
  }
  wait();
}

function wait() {
  const place = document.querySelector("[data-poll-url]");
  if (place) timer = setTimeout(look, (Number(place.dataset.pollSeconds) || 3) * 1000);
}

// Where the server can be heard (live.js), it says when there is something to see.
for (const place of document.querySelectorAll("[data-live]")) {
  for (const word of place.dataset.live.split(/\s+/)) document.body.addEventListener(`live:${word}`, look);
}
wait();
