// The board by hand: a card dragged with the mouse, or taken up with a finger by a long press.
{
  const { one, all } = keel;
  const { card, laneOf, nextCard, before, move } = keel.board;

  // Dragging. The line shows where the card would stand; the server says whether it may.
  let dragged;
  const line = document.createElement("li");
  line.className = "dropline";
  line.setAttribute("aria-hidden", "true");
  const at = (list, y) =>
    all("[data-card]", list).find((each) => {
      const box = each.getBoundingClientRect();
      return each !== dragged && y < box.top + box.height / 2;
    });
  const hover = (list, y) => {
    const next = at(list, y);
    if (next) next.before(line);
    else list.append(line);
  };
  const drop = () => {
    const list = line.closest(".klist");
    const each = dragged;
    if (!list || !each) return;
    let next = line.nextElementSibling;
    while (next && (next === each || !next.dataset.card)) next = next.nextElementSibling;
    const place = before(list, next);
    const stays = laneOf(each) === list && nextCard(each) === (next ?? null);
    if (stays) return;
    move(each, list, place);
    line.before(each);
  };
  const ends = () => {
    dragged?.classList.remove("dragged");
    line.remove();
    dragged = undefined;
  };
  // Only what has a mouse drags natively, so that a finger scrolls.
  document.addEventListener("pointerdown", (event) => {
    const each = card(event.target);
    if (each && laneOf(each)) each.draggable = event.pointerType === "mouse";
  });
  document.addEventListener("dragstart", (event) => {
    const each = card(event.target);
    if (!each || !laneOf(each)) return;
    dragged = each;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", each.dataset.card);
    requestAnimationFrame(() => each.classList.add("dragged"));
  });
  document.addEventListener("dragover", (event) => {
    const list = event.target.closest?.(".kcol")?.querySelector(".klist");
    if (!dragged || !list) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    hover(list, event.clientY);
  });
  document.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    drop();
    ends();
  });
  document.addEventListener("dragend", ends);

  // A long press takes a card up with a finger.
  let press;
  let touched;
  const letGo = () => {
    clearTimeout(press);
    touched = undefined;
  };
  document.addEventListener(
    "touchstart",
    (event) => {
      const each = card(event.target);
      if (!each || !laneOf(each) || event.touches.length > 1) return letGo();
      const [{ clientX, clientY }] = event.touches;
      touched = { x: clientX, y: clientY };
      press = setTimeout(() => {
        dragged = each;
        each.classList.add("dragged");
        navigator.vibrate?.(10);
      }, 400);
    },
    { passive: true },
  );
  document.addEventListener(
    "touchmove",
    (event) => {
      const [{ clientX, clientY }] = event.touches;
      if (!dragged) {
        if (touched && Math.hypot(clientX - touched.x, clientY - touched.y) > 8) letGo();
        return;
      }
      event.preventDefault();
      const list = document.elementFromPoint(clientX, clientY)?.closest(".kcol")?.querySelector(".klist");
      if (list) hover(list, clientY);
      const scroller = one(".board");
      if (clientX > innerWidth - 32) scroller.scrollLeft += 12;
      else if (clientX < 32) scroller.scrollLeft -= 12;
    },
    { passive: false },
  );
  document.addEventListener("touchend", (event) => {
    letGo();
    if (!dragged) return;
    event.preventDefault();
    drop();
    ends();
  });
  document.addEventListener("touchcancel", () => {
    letGo();
    ends();
  });
  document.addEventListener("contextmenu", (event) => {
    if (dragged) event.preventDefault();
  });
}
