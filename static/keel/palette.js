// The command palette: a combobox whose results come from the server, with what the page itself
// offers among them. Enter goes to the marked one; typed and sent at once, it waits for the answer.
{
  const { one, all, press } = keel;
  const palette = one("#palette");
  const input = one("#palette-input");
  const status = one("#palette-status");
  const options = () => all("[role=option]", palette);
  let marked = -1;
  let waiting = false;
  let commands = [];

  const mark = (index) => {
    const found = options();
    marked = found.length ? (index + found.length) % found.length : -1;
    found.forEach((option, at) => {
      option.id = `palette-option-${at}`;
      option.setAttribute("aria-selected", String(at === marked));
    });
    if (marked < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", found[marked].id);
      found[marked].scrollIntoView({ block: "nearest" });
    }
  };
  const isAnswered = () => one("#palette-list").dataset.text === input.value.trim();
  const choose = () => options()[marked]?.click();
  const nameOf = (element) =>
    element.dataset.command || element.getAttribute("aria-label") || element.textContent.trim();

  // Do here: the buttons and links of the page that are marked, and those in its head.
  const collect = () => {
    const found = all("main [data-command], .phead .acts :is(a, button)").filter(
      (element) => nameOf(element) && !element.closest("dialog, .no-script"),
    );
    return found.map((element) => ({ name: nameOf(element).replace(/\s+/g, " "), element }));
  };
  const offer = () => {
    const list = one("#palette-list");
    const words = input.value.toLowerCase().split(/\s+/);
    const fitting = commands.filter(({ name }) =>
      words.every((word) => name.toLowerCase().includes(word)),
    );
    if (!fitting.length) return;
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", "palette-here");
    const title = document.createElement("p");
    title.id = "palette-here";
    title.setAttribute("role", "presentation");
    title.textContent = "Do here";
    group.append(title);
    for (const { name, element } of fitting) {
      const option = document.createElement("button");
      option.type = "button";
      option.tabIndex = -1;
      option.setAttribute("role", "option");
      const icon = one("svg", element)?.cloneNode(true);
      icon?.setAttribute("class", "i");
      const label = document.createElement("span");
      label.textContent = name;
      const note = document.createElement("small");
      note.textContent = "Command";
      option.append(...[icon, label, note].filter(Boolean));
      option.addEventListener("click", () => {
        palette.close();
        element.click();
      });
      group.append(option);
    }
    const jumps = one("[data-group='Jump to']", list);
    if (jumps) jumps.after(group);
    else list.prepend(group);
  };

  const open = () => {
    if (!palette || palette.open) return;
    commands = collect();
    input.value = "";
    waiting = false;
    palette.showModal();
    input.focus();
    htmx.trigger(input, "keel:ask");
  };

  if (palette) {
    input.addEventListener("keydown", (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps) mark(marked + steps[event.key]);
      else if (event.key === "Home" && !input.value) mark(0);
      else if (event.key === "Enter") {
        if (isAnswered()) choose();
        else waiting = true;
      } else return;
      event.preventDefault();
    });
    palette.addEventListener("pointermove", ({ target }) => {
      const at = options().indexOf(target.closest("[role=option]"));
      if (at >= 0 && at !== marked) mark(at);
    });
    // What opens another dialog closes this one first.
    palette.addEventListener("click", ({ target }) => {
      if (target.closest("[data-open]")) palette.close();
    });
    document.addEventListener("htmx:afterSettle", ({ detail }) => {
      if (detail.elt.id !== "palette-list" && detail.target?.id !== "palette-list") return;
      offer();
      mark(0);
      const { length } = options();
      status.textContent = `${length} ${length === 1 ? "result" : "results"}`;
      if (waiting && isAnswered()) {
        waiting = false;
        choose();
      }
    });
    document.addEventListener("click", ({ target }) => {
      if (target.closest("[data-palette]")) open();
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open();
      }
    });
    press("/", open);
  }
}
