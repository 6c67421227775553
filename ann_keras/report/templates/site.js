// The matrix of claims by verdict: one button a verdict, pressed or not; none pressed shows all.
addEventListener("DOMContentLoaded", () => {
  const filter = document.querySelector(".filter");
  if (!filter) return;
  const buttons = [...filter.querySelectorAll("button")];
  const rows = [...document.querySelectorAll(".matrix tbody tr")];
  filter.hidden = false;
  filter.addEventListener("click", event => {
    if (!buttons.includes(event.target)) return;
    const pressed = event.target.getAttribute("aria-pressed") !== "true";
    event.target.setAttribute("aria-pressed", pressed);
    const wanted = buttons.filter(button => button.getAttribute("aria-pressed") === "true")
      .map(button => button.dataset.verdict);
    rows.forEach(row => row.hidden = wanted.length > 0 && !wanted.includes(row.dataset.verdict));
    filter.querySelector("span").textContent =
      `${rows.filter(row => !row.hidden).length} of ${rows.length} claims`;
  });
});
