// On a shared phone the unsent reports go with the receipts.
import { forgetAll } from "./kept.js";

document.querySelector("form[action='/my/forget']")?.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.dataset.asked) {
    try {
      forgetAll();
    } catch { /* nothing was kept */ }
  }
});
