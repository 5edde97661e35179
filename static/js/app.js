// Small behaviours of the pages. Everything works without this file, only less comfortably.

const root = document.documentElement;
root.classList.remove("no-js");

// --- Light or dark: the page changes at once, the server is told beside it.
const themeForm = document.querySelector("[data-theme-form]");
themeForm?.addEventListener("submit", (event) => {
  event.preventDefault();
  const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
  root.dataset.bsTheme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  const kept = new FormData(themeForm);
  kept.set("theme", theme);
  fetch(themeForm.action, { method: "POST", body: new URLSearchParams(kept), redirect: "manual" }).catch(() => {
    // The page has its colours; only the next device does not know of it.
  });
  document.dispatchEvent(new CustomEvent("theme:changed"));
});

// --- The entry of this page is in sight, however long the menu is. The menu alone moves, never the page.
const sidebar = document.getElementById("sidebar");
const showEntry = () => {
  const entry = sidebar?.querySelector("[aria-current]");
  if (!entry) return;
  const [inner, outer] = [entry.getBoundingClientRect(), sidebar.getBoundingClientRect()];
  if (inner.top < outer.top + 60 || inner.bottom > outer.bottom - 24) {
    sidebar.scrollTop += inner.top - outer.top - (sidebar.clientHeight - inner.height) / 2;
  }
};
showEntry();

// --- The menu below 800 px lies over the page; what is beside it cannot be reached meanwhile.
const menuButton = document.querySelector("[data-menu-button]");
const beside = document.querySelector("[data-beside-sidebar]");
if (menuButton && sidebar && beside) {
  const show = (isOpen) => {
    sidebar.classList.toggle("is-open", isOpen);
    menuButton.setAttribute("aria-expanded", String(isOpen));
    beside.inert = isOpen;
    if (isOpen) {
      showEntry();
      sidebar.querySelector("[data-menu-close]").focus();
    } else menuButton.focus();
  };
  const isShown = () => sidebar.classList.contains("is-open");
  menuButton.addEventListener("click", (event) => {
    event.preventDefault();
    show(true);
  });
  sidebar.querySelector("[data-menu-close]").addEventListener("click", (event) => {
    event.preventDefault();
    show(false);
  });
  document.addEventListener("keydown", (event) => {
    if (!isShown()) return;
    if (event.key === "Escape") show(false);
    if (event.key !== "Tab") return;
    const stops = [...sidebar.querySelectorAll("a, button")];
    const last = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (document.activeElement === last || !sidebar.contains(document.activeElement)) {
      event.preventDefault();
      (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (isShown() && !sidebar.contains(event.target) && !menuButton.contains(event.target)) show(false);
  });
  matchMedia("(min-width: 801px)").addEventListener("change", (wide) => {
    if (wide.matches && isShown()) show(false);
    showEntry();
  });
}

// --- Menus of the top bar close when one leaves them.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// --- Words after what was done: good news go by themselves, unless one reads them; errors stay.
const STAY_MS = 10000;
const withdraw = (toast) => {
  const place = toast.parentElement;
  toast.remove();
  if (place && !place.querySelector("[data-toast]")) place.remove();
};
const attend = (place) => {
  place.classList.add("is-floating");
  for (const toast of place.querySelectorAll("[data-toast]")) {
    const close = toast.querySelector("[data-toast-close]");
    close.hidden = false;
    close.addEventListener("click", () => withdraw(toast));
    if (toast.getAttribute("role") === "alert") continue;
    let timer = setTimeout(withdraw, STAY_MS, toast);
    for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
    for (const name of ["pointerleave", "focusout"]) {
      toast.addEventListener(name, () => {
        clearTimeout(timer);
        timer = setTimeout(withdraw, STAY_MS, toast);
      });
    }
  }
};

// --- What comes with the page, and with every part of it that is fetched later.
const enliven = (part) => {
  for (const place of part.querySelectorAll("[data-toasts]:not(.is-floating)")) attend(place);
  for (const one of part.querySelectorAll("[data-needs-script][hidden]")) one.hidden = false;
  for (const button of part.querySelectorAll("[data-copy][hidden]")) button.hidden = !navigator.clipboard;
};
enliven(document);
document.addEventListener("htmx:load", (event) => enliven(event.target.parentElement ?? event.target));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.parentElement.querySelector("[role=status]");
    if (said) {
      said.textContent = button.dataset.copied;
      setTimeout(() => { said.textContent = ""; }, 2000);
    }
  }
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog?.showModal) {
    event.preventDefault();
    dialog.showModal();
  }
  // A press beside an open dialog is one on its backdrop.
  if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
});
