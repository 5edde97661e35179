// Lets a payment's page move on by itself. Without this file its link does the same.

function watch(place) {
  const seconds = Number(place.dataset.pollSeconds) || 3;
  setTimeout(async () => {
    try {
      const answer = await fetch(place.dataset.pollUrl, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.body.firstElementChild;
        if (fresh) {
          place.replaceWith(fresh);
          if (fresh.dataset.pollUrl) watch(fresh);
          return;
        }
      }
    } catch {
      // The network is away for a moment: the next look may succeed.
    }
    watch(place);
  }, seconds * 1000);
}

for (const place of document.querySelectorAll("[data-poll-url]")) watch(place);
