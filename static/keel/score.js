// Why a card scores what it does, in a popover; and moving a project in the matrix by mouse or
// keys. Both are also plain links: to the project's score, and to its form.
{
  const { one, all, say } = window.keel;

  const popover = document.createElement("div");
  popover.className = "why";
  popover.popover = "auto";
  popover.setAttribute("role", "dialog");
  popover.setAttribute("aria-labelledby", "why-score-title");
  document.body.append(popover);

  const place = (box) => {
    const left = Math.min(box.left, innerWidth - popover.offsetWidth - 8);
    const below = box.bottom + 6;
    const above = Math.max(8, box.top - popover.offsetHeight - 6);
    popover.style.left = `${Math.max(8, left)}px`;
    popover.style.top = `${below + popover.offsetHeight > innerHeight ? above : below}px`;
  };

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.score");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await htmx.ajax("GET", `${link.pathname}why/`, { target: popover, swap: "innerHTML" });
    if (!one("#why-score", popover)) return;
    popover.showPopover();
    place(link.getBoundingClientRect());
    one("#why-score-title", popover).focus();
  });

  // The page comes anew once it is saved, and the focus goes back to what was moved.
  const MOVED = "moved";
  const focusMoved = () => {
    const card = document.getElementById(sessionStorage.getItem(MOVED));
    sessionStorage.removeItem(MOVED);
    if (card) one("a", card).focus();
  };
  focusMoved();
  document.addEventListener("click", ({ target }) => {
    const opener = target.closest('[data-open="rescore"], [data-open="by-hand"]');
    if (opener) sessionStorage.setItem(MOVED, opener.closest("[id]").id);
  });
  document.addEventListener(
    "close",
    ({ target }) => {
      if (target.matches("#rescore, #by-hand")) sessionStorage.removeItem(MOVED);
    },
    true,
  );

  const move = async (card, cell) => {
    const query = new URLSearchParams({
      impact: cell.dataset.impact,
      effort: cell.dataset.effort,
      next: one("[data-matrix]").dataset.matrix,
    });
    const address = `${card.dataset.scoreUrl}?${query}`;
    await htmx.ajax("GET", address, { target: "#score-form", swap: "outerHTML" });
    sessionStorage.setItem(MOVED, card.id);
    one("#rescore").showModal();
    one("#score_reason")?.focus();
    say(`${card.id}: ${cell.dataset.label}. Say why, then save.`);
  };

  // From where nothing is known one steps into the middle of the least.
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  document.addEventListener("keydown", (event) => {
    const step = event.altKey && STEPS[event.key];
    const card = step && event.target.closest("[data-score-url]");
    if (!card) return;
    event.preventDefault();
    const cells = all(".mcell");
    const from = cells.indexOf(card.closest(".mcell"));
    const row = (from < 0 ? 3 : Math.floor(from / 4)) + (from < 0 ? 0 : step[0]);
    const column = (from < 0 ? 0 : from % 4) + (from < 0 ? 0 : step[1]);
    if (row < 0 || row > 3 || column < 0 || column > 3) {
      say(`${card.id} is at the edge of the matrix.`);
      return;
    }
    move(card, cells[row * 4 + column]);
  });

  let dragged = null;
  document.addEventListener("dragstart", ({ target, dataTransfer }) => {
    dragged = target.closest?.("[data-score-url]") ?? null;
    if (dragged) dataTransfer.setData("text/plain", dragged.id);
  });
  document.addEventListener("dragend", () => {
    dragged = null;
    for (const cell of all(".mcell.over")) cell.classList.remove("over");
  });
  document.addEventListener("dragover", (event) => {
    const cell = dragged && event.target.closest(".mcell");
    for (const each of all(".mcell.over")) if (each !== cell) each.classList.remove("over");
    if (!cell) return;
    event.preventDefault();
    cell.classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    const cell = dragged && event.target.closest(".mcell");
    if (!cell) return;
    event.preventDefault();
    if (cell !== dragged.closest(".mcell")) move(dragged, cell);
  });
}
