// Keys of a review: 1 to 4 decide, K and J go on. What was typed goes along with each.
{
  const { one } = keel;
  const click = (selector) => () => one(selector)?.click();
  for (const key of ["1", "2", "3", "4"]) keel.press(key, click(`[data-decide="${key}"]`));
  keel.press("k", click("[data-review-previous]"));
  keel.press("j", click("[data-review-next]"));
}
