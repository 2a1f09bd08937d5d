// Intake: what was typed and not saved yet goes out when the page is left, and a page that comes
// back from the browser's memory is asked for again, so that it is never an old version.
{
  const { one } = keel;
  let unsaved = false;
  document.addEventListener("input", ({ target }) => {
    if (target.form?.matches("[data-autosave]")) unsaved = true;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful && detail.elt.closest("[data-autosave]")) unsaved = false;
  });
  document.addEventListener("submit", () => (unsaved = false));
  addEventListener("pagehide", () => {
    const form = one("form[data-autosave]");
    if (form && unsaved) navigator.sendBeacon(form.dataset.autosave, new FormData(form));
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && one("form[data-autosave]")) location.reload();
  });
}
