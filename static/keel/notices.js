// The bell looks for what is new once a minute, while somebody can see the page; and whoever
// follows a notice has read it, for which the list has a button too.
{
  const { one } = keel;
  const MINUTE = 60_000;
  setInterval(() => {
    if (document.visibilityState === "visible" && one("#bell")) htmx.trigger("#bell", "look");
  }, MINUTE);

  const follow = ({ target, button }) => {
    const link = target.closest?.("a[data-notice]");
    if (!link || button > 1) return;
    const body = new FormData();
    body.set("notice", link.dataset.notice);
    const headers = { "X-CSRFToken": one("meta[name=csrf-token]").content, "HX-Request": "true" };
    fetch(link.dataset.seen, { method: "POST", body, headers, keepalive: true }).catch(() => {});
  };
  document.addEventListener("click", follow);
  document.addEventListener("auxclick", follow);
}
