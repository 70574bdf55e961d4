// Number and receipt into the clipboard, or onto paper.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "已复制";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById("receipt"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "已选中，请长按复制";
    }
  });
}
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
