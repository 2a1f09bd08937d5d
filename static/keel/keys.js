// Single keys: G then a letter goes to a page, ? lists the keys, other scripts add theirs with
// keel.press. Off while typing, and for those who turn them off in the list.
{
  const { one } = keel;
  const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  // Where a page files a request for what it shows, C does that; else what the top bar does.
  const file = () => one("main [data-new-request]") ?? one("[data-new-request]");
  const acts = new Map([
    ["?", () => one("#shortcuts")?.showModal()],
    ["c", () => file()?.click()],
  ]);
  keel.press = (key, act) => acts.set(key, act);

  const keysOff = () => localStorage.getItem("keys") === "off";
  const keySwitch = one("[data-keys]");
  if (keySwitch) {
    keySwitch.checked = !keysOff();
    keySwitch.addEventListener("change", () =>
      localStorage.setItem("keys", keySwitch.checked ? "on" : "off"),
    );
  }
  let wentAt = -Infinity;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keysOff()) return;
    if (event.target.matches?.(TYPING) || one("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "g") wentAt = event.timeStamp;
    else if (event.timeStamp - wentAt < 1200) {
      wentAt = -Infinity;
      one(`.nav a[data-key="${CSS.escape(key)}"]`)?.click();
    } else if (acts.has(key)) {
      event.preventDefault();
      acts.get(key)(event);
    }
  });
}
