// Completes names after an @. They are those of the list one can choose from without a script.
{
  const { all } = keel;
  const MOST = 6;
  const WORD = /(^|[^\p{L}\p{N}_.+-])@([^@\n]{0,40})$/u;

  let box; // { area, list, found, at, start }

  const close = () => {
    if (!box) return;
    box.area.removeAttribute("aria-activedescendant");
    box.area.removeAttribute("aria-controls");
    box.list.remove();
    box = undefined;
  };

  const people = (area) =>
    all("label", area.form.querySelector(`#${area.dataset.mentions}`)).map((label) =>
      label.textContent.trim(),
    );

  const fits = (name, typed) =>
    name !== typed &&
    (name.startsWith(typed) || (!typed.includes(" ") && name.split(" ").some((word) => word.startsWith(typed))));

  const mark = (at) => {
    box.at = at;
    all("li", box.list).forEach((item, place) => {
      item.setAttribute("aria-selected", String(place === at));
    });
    box.area.setAttribute("aria-activedescendant", `name-${at}`);
  };

  const take = (name) => {
    const { area, start } = box;
    close();
    area.setRangeText(`${name} `, start, area.selectionStart, "end");
    area.focus();
  };

  const open = (area, found, start) => {
    close();
    const list = document.createElement("ul");
    list.className = "names";
    list.id = "names";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "People to mention");
    found.forEach((name, place) => {
      const item = document.createElement("li");
      item.id = `name-${place}`;
      item.setAttribute("role", "option");
      item.textContent = name;
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(name);
      });
      list.append(item);
    });
    area.after(list);
    area.setAttribute("aria-controls", "names");
    box = { area, list, found, start };
    mark(0);
  };

  document.addEventListener("input", ({ target }) => {
    if (!target.matches?.("[data-mentions]")) return;
    const before = target.value.slice(0, target.selectionStart);
    const word = WORD.exec(before);
    const typed = word?.[2].toLowerCase();
    const begins = (name) => name.toLowerCase().startsWith(typed);
    const found = word ? people(target).filter((name) => fits(name.toLowerCase(), typed)) : [];
    found.sort((a, b) => begins(b) - begins(a));
    if (found.length) open(target, found.slice(0, MOST), before.length - word[2].length);
    else close();
  });

  document.addEventListener("keydown", (event) => {
    if (!box || event.target !== box.area) return;
    const { at, found } = box;
    if (event.key === "ArrowDown") mark((at + 1) % found.length);
    else if (event.key === "ArrowUp") mark((at + found.length - 1) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") take(found[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  document.addEventListener("focusout", ({ target }) => {
    if (target === box?.area) close();
  });
}
