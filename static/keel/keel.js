// Behaviour that makes pages quicker. Every action here is also a plain link or form.
// Styles are set through the CSSOM only, which the content security policy allows.
// What the other scripts share is in `keel`; they are loaded after this one.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Live region: what is put there is read out. Text that is already there when the page
// loads would stay unread, so it is put there once more.
const toast = one("#toast");
let toastTimer;
const announce = (nodes) => {
  if (!toast) return;
  toast.replaceChildren();
  requestAnimationFrame(() => toast.replaceChildren(...nodes));
};
const say = (text) => {
  const line = document.createElement("p");
  line.textContent = text;
  announce([line]);
  fade();
};
const fade = () => {
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    if (!toast.matches(":hover, :focus-within")) toast.replaceChildren();
    else fade();
  }, 12000);
};
if (toast?.children.length) {
  announce([...toast.children]);
  fade();
}

// Where tabs do not fit, the one that is shown is in sight.
for (const tab of all(".tabs [aria-current]")) {
  const bar = tab.parentElement;
  bar.scrollLeft = tab.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
}

// Dialogs, drawers and dismissals.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  const dialog = opener && document.getElementById(opener.dataset.open);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (event.target.matches("dialog")) event.target.close();
  if (event.target.closest("[data-dismiss]")) toast.replaceChildren();
});

// Copies what a field shows, which stays selected for those whose browser refuses.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say("Copied.");
  } catch {
    say("Your browser did not let Keel copy. The text is selected: press Ctrl C.");
  }
});

// Popovers open beside the button they belong to.
document.addEventListener(
  "toggle",
  ({ target, newState }) => {
    if (newState !== "open" || !target.matches(".menu[popover]")) return;
    const box = one(`[popovertarget="${target.id}"]`)?.getBoundingClientRect();
    if (!box) return;
    const left = Math.min(box.left, innerWidth - target.offsetWidth - 8);
    const below = box.bottom + 6;
    const above = Math.max(8, box.top - target.offsetHeight - 6);
    target.style.right = "auto";
    target.style.left = `${Math.max(8, left)}px`;
    target.style.top = `${below + target.offsetHeight > innerHeight ? above : below}px`;
  },
  true,
);

// The theme changes at once and is saved behind the scenes.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]") || !event.submitter) return;
  event.preventDefault();
  const { value } = event.submitter;
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  for (const button of all("button[name=theme]", form)) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
  const body = new FormData(form, event.submitter);
  fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() =>
    say("Not saved. This page keeps the theme until you leave it."),
  );
});

// Filters apply as they change, keep the order of the list, and stay out of the address
// where they are empty.
let typingTimer;
document.addEventListener("change", ({ target }) => {
  if (target.form?.matches("[data-filters]")) target.form.requestSubmit();
});
document.addEventListener("input", ({ target }) => {
  if (!target.form?.matches("[data-filters]") || target.type !== "search") return;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => target.form.requestSubmit(), 350);
});
document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches("[data-filters], [role=search]")) return;
  const sort = new URLSearchParams(location.search).get("sort");
  if (sort && target.matches("[data-filters]")) formData.set("sort", sort);
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

// Charts: the value under the pointer. The same numbers are in the table below.
const readOut = (chart) => {
  const points = JSON.parse(chart.dataset.points);
  const output = document.getElementById(chart.dataset.chart);
  const cursor = one(".cursor", chart);
  const plot = one(".plot", chart);
  if (!output || !points.length) return;
  const resting = output.textContent;
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width;
    const near = points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", `${near[0] * 100}%`);
    cursor.setAttribute("x2", `${near[0] * 100}%`);
    output.textContent = near[1];
  });
  plot.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    output.textContent = resting;
  });
};
all("[data-chart]").forEach(readOut);

// htmx: the token of the page, what is loading, where the focus goes, what went wrong.
const on = (name, act) => document.addEventListener(`htmx:${name}`, ({ detail }) => act(detail));
let busy = new Set();
on("configRequest", ({ verb, headers }) => {
  if (verb !== "get") headers["X-CSRFToken"] = one("meta[name=csrf-token]")?.content;
});
on("beforeRequest", ({ target }) => {
  busy.add(target);
  target.setAttribute("aria-busy", "true");
});
on("afterRequest", () => {
  for (const target of busy) target.removeAttribute("aria-busy");
  busy = new Set();
});
on("afterSettle", ({ elt, requestConfig }) => {
  all("[data-chart]", elt).forEach(readOut);
  if (toast.children.length) fade();
  const summary = one(".errsum", elt);
  document.title = `${summary ? "Error: " : ""}${document.title.replace(/^Error: /, "")}`;
  if (summary) summary.focus();
  else if (document.activeElement === document.body && !requestConfig?.elt.matches("[hx-trigger=load]")) {
    const heading = one("h1, h2, h3", elt);
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
  }
});
const KEPT = "Your text is still here.";
const isSentence = (xhr) => xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
on("beforeSwap", (detail) => {
  const { xhr, requestConfig } = detail;
  if (xhr.status < 400 || !isSentence(xhr)) return;
  detail.shouldSwap = false;
  say(`${xhr.responseText}${requestConfig.verb === "get" ? "" : ` Not saved. ${KEPT}`}`);
});
on("responseError", ({ xhr }) => {
  if (isSentence(xhr)) return;
  say(`Something went wrong (${xhr.status}). Nothing was saved. ${KEPT}`);
});
on("sendError", () => say(`No connection. Nothing was saved. ${KEPT}`));

window.keel = { one, all, say };
