// Small behaviours of the staff's pages. Everything works without this file, only less comfortably.

document.documentElement.classList.remove("no-js");

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value;
    if (button.dataset.themeToggle && token) {
      const kept = new URLSearchParams({ action: "theme", theme, csrfmiddlewaretoken: token });
      fetch(button.dataset.themeToggle, { method: "POST", body: kept, redirect: "manual" }).catch(() => {
        // The page has its colours; only the next device does not know of it.
      });
    }
  });
}

const menu = document.querySelector("[data-menu-button]");
const sidebar = document.getElementById("sidebar");
if (menu && sidebar) {
  const show = (isOpen) => {
    sidebar.classList.toggle("is-open", isOpen);
    menu.setAttribute("aria-expanded", String(isOpen));
  };
  menu.addEventListener("click", () => {
    const isOpen = !sidebar.classList.contains("is-open");
    show(isOpen);
    if (isOpen) sidebar.querySelector("a")?.focus();
  });
  sidebar.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      show(false);
      menu.focus();
    }
  });
}

const search = document.querySelector("[data-search]");
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  const wanted = (event.key === "/" && !isTyping) || (event.key === "k" && (event.ctrlKey || event.metaKey));
  if (search && wanted) {
    event.preventDefault();
    search.focus();
  }
});
