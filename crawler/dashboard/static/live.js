// Shows the run that goes on. Without it, the page shows how things stood when it was loaded.
"use strict";
(() => {
  const box = document.querySelector("[data-live]");
  if (!box || !window.EventSource) return;
  const text = box.querySelector("[data-live-text]");
  const bar = box.querySelector("[data-live-bar]");
  const classes = box.querySelector("[data-live-classes]");
  const over = document.querySelector("[data-live-over]");
  const count = new Intl.NumberFormat("en");
  let watched = !box.hidden;
  const source = new EventSource("/events");
  source.addEventListener("run", (event) => {
    const now = JSON.parse(event.data);
    if (!now) return;
    if (now.ended !== null) {
      if (watched || now.run > Number(box.dataset.run)) over.hidden = false;
      box.hidden = true;
      watched = false;
      return;
    }
    watched = true;
    over.hidden = true;
    box.hidden = false;
    text.textContent =
      `Run ${now.run} (${now.command}): ${count.format(now.found)} checked, ` +
      `${now.rate.toFixed(1)} a second, at most ${count.format(now.due)} to go`;
    bar.max = Math.max(1, now.found + now.due);
    bar.value = now.found;
    classes.textContent = Object.entries(now.classes)
      .map(([name, number]) => `${name} ${count.format(number)}`)
      .join(", ");
  });
  addEventListener("pagehide", () => source.close());
})();
