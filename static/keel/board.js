// The board: what moves a card, and its menu. The server answers every move with fresh columns; a
// card that may not move is back with the reason on it. Keys and dragging are in files of their own.
{
  const { one, all } = keel;
  const board = () => one("[data-board]");
  const card = (node) => node?.closest?.("[data-card]");
  const laneOf = (each) => each.closest(".klist");
  const focusOn = (each) => one(".ttl", each)?.focus();

  // What stands directly before a place: a card by its number, or the end of what is shown.
  const before = (list, next) => next?.dataset.card ?? list.dataset.next;
  const nextCard = (each) => {
    let next = each.nextElementSibling;
    while (next && !next.dataset.card) next = next.nextElementSibling;
    return next;
  };

  let waiting = false;
  let focused = "";
  const send = (values, url = board().dataset.moveUrl) => {
    if (waiting) return;
    waiting = true;
    const all_ = { on: board().dataset.on, ...values };
    htmx
      .ajax("POST", url, { source: board(), target: "#move-form-box", swap: "none", values: all_ })
      .finally(() => {
        waiting = false;
      });
  };
  const move = (each, list, next) => {
    const values = {
      project: each.dataset.card,
      lane: list.dataset.lane,
      version: each.dataset.version,
    };
    if (next !== undefined) values.before = next;
    focused = each.dataset.card;
    send(values);
  };

  // Answers: a refused move brings fresh columns too.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const path = detail.pathInfo?.requestPath ?? "";
    if (!path.startsWith(board()?.dataset.moveUrl ?? "\n") || detail.xhr.status >= 500) return;
    if (detail.xhr.getResponseHeader("HX-Trigger-After-Settle")) detail.shouldSwap = true;
    if (detail.xhr.status === 404) location.reload();
  });
  document.addEventListener("boardMoved", ({ detail }) => {
    const dialog = one("#move-dialog");
    if (detail.asks) {
      one("#toast").replaceChildren();
      if (!dialog.open) dialog.showModal();
      (one(".errsum", dialog) ?? one("input:not([type=hidden]), textarea, select", dialog))?.focus();
      return;
    }
    if (dialog.open) dialog.close();
    const moved = document.getElementById(detail.card);
    if (!moved) return;
    focusOn(moved);
    moved.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (!detail.moved) return;
    moved.classList.add("moved");
    setTimeout(() => moved.classList.remove("moved"), 900);
  });
  // Closed without a word: the card is back where it was already.
  one("#move-dialog")?.addEventListener("close", () => {
    const back = document.getElementById(focused);
    if (back) focusOn(back);
  });

  // Forms of the menu, of the dialog, of the note on a card, and Undo.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-board-move]") || !board()) return;
    event.preventDefault();
    event.stopPropagation();
    const values = Object.fromEntries(new FormData(form, event.submitter));
    delete values.once;
    delete values.csrfmiddlewaretoken;
    one("#move-menu")?.hidePopover();
    const asked = new URL(form.action, location.href).searchParams;
    focused = values.project ?? asked.get("project") ?? focused;
    send({ ...Object.fromEntries(asked), ...values });
  });

  // The menu of a card.
  const menu = one("#move-menu");
  const openMenu = async (opener) => {
    const each = card(opener);
    await htmx.ajax("GET", opener.href, { target: "#move-menu", swap: "innerHTML" });
    const box = opener.getBoundingClientRect();
    menu.showPopover();
    const left = Math.min(box.left, innerWidth - menu.offsetWidth - 8);
    const below = box.bottom + 6;
    const above = Math.max(8, innerHeight - menu.offsetHeight - 8);
    menu.style.left = `${Math.max(8, left)}px`;
    menu.style.top = `${below + menu.offsetHeight > innerHeight ? above : below}px`;
    menu.setAttribute("aria-label", `Move ${each?.dataset.card ?? "card"}`);
    (one("button, a", menu) ?? menu).focus();
    menu.dataset.opener = each?.id ?? "";
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-move-menu]");
    if (!opener || !menu || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    openMenu(opener);
  });
  menu?.addEventListener("keydown", (event) => {
    const items = all("button, a", menu);
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !items.length) return;
    event.preventDefault();
    items[(at + step + items.length) % items.length].focus();
  });
  menu?.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed" || waiting) return;
    const opener = document.getElementById(menu.dataset.opener);
    if (opener && (document.activeElement === document.body || menu.contains(document.activeElement)))
      one("[data-move-menu]", opener)?.focus();
  });

  keel.board = { card, laneOf, nextCard, before, focusOn, move };
}
