// Forms saved as they are typed: nothing of them is lost when the page is left, and a page that
// comes back from the browser's memory is asked for again, so that it is never an old version.
{
  const { one } = keel;
  const form = () => one("form[data-autosave]");
  const isOurs = (element) => element?.closest("[data-autosave]");
  // Changes counted: how many there were, and how many of them were sent and stored.
  let typed = 0;
  let sent = 0;
  let saved = 0;
  let next = "";
  document.addEventListener("input", ({ target }) => {
    if (isOurs(target)) typed += 1;
  });
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (isOurs(detail.elt)) sent = typed;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful || !isOurs(detail.elt)) return;
    saved = sent;
    if (next && saved === typed) location.href = next;
  });
  document.addEventListener("submit", ({ target }) => {
    if (isOurs(target)) saved = typed;
  });
  // The page a link leads to shows what was typed here: it is stored first. Clicked again, or
  // where it cannot be stored, the link leads on at once.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]:not([href^='#'], [target], [hx-get])");
    if (!link || !form() || saved === typed || next === link.href) return;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    next = link.href;
    form().dispatchEvent(new Event("change", { bubbles: true }));
  });
  addEventListener("pagehide", () => {
    if (form() && saved < typed) navigator.sendBeacon(form().dataset.autosave, new FormData(form()));
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && form()) location.reload();
  });
}
