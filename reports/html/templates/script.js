"use strict";
// An enhancement only: the page is complete and its filters work without it.
function reveal() {
  let at = document.getElementById(location.hash.slice(1));
  if (!at) return;
  for (let d = at.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
  at.scrollIntoView();
}
function count() {
  const all = [...document.querySelectorAll("#must .f, #should .f")];
  const shown = all.filter((f) => f.offsetParent !== null).length;
  document.getElementById("shown").textContent = `${shown} of ${all.length} findings shown`;
}
addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", () => { reveal(); count(); });
document.querySelectorAll(".filters input").forEach((i) => i.addEventListener("change", count));
document.querySelectorAll(".counters a").forEach((a) =>
  a.addEventListener("click", () => {
    const level = document.getElementById(`level-${a.hash.slice(1)}`);
    document.getElementById("level-all").checked = true;
    if (level) level.checked = true;
    count();
  })
);
