// The what-if slider: every number it shows was worked out by the server. Without it the form
// asks the server.
document.addEventListener("input", ({ target }) => {
  const form = target.closest?.("[data-what-if]");
  if (!form || target.type !== "range") return;
  const steps = JSON.parse(form.dataset.whatIf);
  const seats = Number(target.value);
  const count = steps.seats.filter((needed) => needed <= seats).length;
  const part = (name) => form.querySelector(`[data-${name}]`);
  const many = (number) => number.toLocaleString("en-US");

  const unit = seats === 1 ? "seat" : "seats";
  part("seats").textContent = many(seats);
  part("unit").textContent = unit;
  part("share").textContent = steps.shares[count];
  form.querySelector(".bar .fg").setAttribute("width", steps.widths[count]);
  const crossing = part("crossing");
  const line = crossing.dataset.crossing.replace(/^cross /, "");
  crossing.textContent = `${many(count)} account${count === 1 ? " crosses" : "s cross"} ${line}`;
  const tag = part("met");
  if (tag) {
    const missing = Math.max(0, steps.needed - count);
    tag.textContent = missing ? `${many(missing)} ${tag.dataset.missing}` : tag.dataset.met;
    tag.classList.toggle("good", !missing);
  }
  for (const row of form.parentElement.querySelectorAll("tr[data-so-far]")) {
    row.querySelector("[data-crosses]").hidden = Number(row.dataset.soFar) > seats;
  }
  target.setAttribute("aria-valuetext", `${many(seats)} more ${unit}: ${steps.shares[count]}`);
});
