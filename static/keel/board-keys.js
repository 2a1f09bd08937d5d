// The board by keys: J and K, Alt with an arrow, the dot for the menu, V and a letter for the view.
{
  const { one, all, say } = keel;
  const { card, laneOf, nextCard, before, focusOn, move } = keel.board;
  const lanes = () => all(".klist");
  const cards = () => all(".klist [data-card]").filter((each) => each.checkVisibility());

  // Keys: Alt with an arrow moves the card one is on; V and a letter changes the view.
  const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
  document.addEventListener("keydown", (event) => {
    const each = card(event.target);
    if (!event.altKey || event.ctrlKey || event.metaKey || !each || !ARROWS.includes(event.key)) return;
    const list = laneOf(each);
    if (!list) return;
    event.preventDefault();
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const up = event.key === "ArrowUp";
      const other = up ? each.previousElementSibling : nextCard(each);
      if (other?.dataset.card) move(each, list, up ? other.dataset.card : before(list, nextCard(other)));
      else say(`${each.dataset.card} is the ${up ? "first" : "last"} card here.`);
      return;
    }
    const found = lanes();
    const to = found[found.indexOf(list) + (event.key === "ArrowRight" ? 1 : -1)];
    if (to) move(each, to);
    else say("There is no column further on.");
  });
  const VIEWS = { c: "columns", m: "matrix", r: "ranked", w: "review" };
  let viewAt = -Infinity;
  const isTyping = (target) =>
    target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  document.addEventListener(
    "keydown",
    (event) => {
      const isOff = localStorage.getItem("keys") === "off" || one("dialog[open]");
      if (isOff || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const view = VIEWS[event.key.toLowerCase()];
      if (!view || event.timeStamp - viewAt > 1200) return;
      viewAt = -Infinity;
      event.stopImmediatePropagation();
      event.preventDefault();
      one(`[data-view="${view}"]`)?.click();
    },
    true,
  );
  keel.press("v", (event) => {
    viewAt = event.timeStamp;
  });
  const step = (by) => {
    const found = cards();
    const at = found.indexOf(card(document.activeElement));
    const next = found[at < 0 ? 0 : at + by];
    if (next) focusOn(next);
  };
  if (lanes().length) {
    keel.press("j", () => step(1));
    keel.press("k", () => step(-1));
    keel.press(".", () => one("[data-move-menu]", card(document.activeElement) ?? document.createElement("i"))?.click());
  }
}
