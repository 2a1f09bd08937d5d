// Lists: J and K go from row to row, X ticks a row, Shift X all rows up to it, E leads to what can
// be done with them. The bar with that is shown by the style sheet where a box is ticked.
{
  const { one, all, press } = keel;
  const links = () => all("main .tbl tbody tr a.t").filter((link) => link.checkVisibility());
  const boxes = () => all(".picks .pick input[name]");
  let last = null;
  let anchor = null;

  const here = () => {
    const row = document.activeElement.closest?.("tbody tr") ?? last;
    return row?.isConnected ? row : null;
  };
  const step = (by) => {
    const found = links();
    if (!found.length) return;
    const at = found.findIndex((link) => link.closest("tr") === here());
    const link = found[at < 0 ? 0 : Math.min(Math.max(at + by, 0), found.length - 1)];
    last = link.closest("tr");
    link.focus();
  };
  const count = () => {
    const bar = one("[data-bulk]");
    if (!bar) return;
    const ticked = boxes().filter((box) => box.checked).length;
    const whole = one("[data-all]:checked", bar);
    const words = `${Number(whole?.dataset.all ?? ticked).toLocaleString("en")} selected`;
    one("[data-picked]", bar).textContent = words;
    const page = one("[data-pick-all]");
    page.checked = ticked > 0 && ticked === boxes().length;
    page.indeterminate = ticked > 0 && !page.checked;
    const said = one("#list-status");
    if (said && (ticked || said.textContent.endsWith(" selected"))) {
      said.textContent = ticked ? words : "Nothing selected";
    }
  };
  const tick = (row, checked) => {
    const box = row && one(".pick input", row);
    if (!box) return;
    box.checked = checked ?? !box.checked;
    count();
  };

  // All rows from the one ticked last up to this one.
  const range = (row, checked) => {
    const rows = [...row.parentElement.rows];
    const [from, to] = [rows.indexOf(anchor), rows.indexOf(row)].sort((a, b) => a - b);
    for (const each of rows.slice(from, to + 1)) tick(each, checked);
  };

  press("j", () => step(1));
  press("k", () => step(-1));
  press("x", ({ shiftKey }) => {
    const row = here();
    if (!row) return;
    if (shiftKey && anchor?.isConnected) range(row, true);
    else tick(row);
    anchor = row;
  });
  press("e", () => {
    const bar = one("[data-bulk]");
    if (!bar) return one("main [data-edit]")?.click();
    if (!boxes().some((box) => box.checked)) tick(here(), true);
    one("button", bar)?.focus();
  });

  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-pick-all]")) {
      for (const box of boxes()) box.checked = target.checked;
    }
    if (target.closest(".pick, [data-bulk]")) count();
  });
  // A click with Shift ticks all between.
  document.addEventListener("click", ({ target, shiftKey }) => {
    const row = target.matches(".picks .pick input[name]") && target.closest("tr");
    if (!row) return;
    if (shiftKey && anchor?.isConnected) range(row, target.checked);
    anchor = row;
  });
  document.addEventListener("reset", ({ target }) => {
    if (one("[data-bulk]", target)) setTimeout(count);
  });
  // A browser that comes back to the page keeps what was ticked.
  addEventListener("pageshow", count);
}
