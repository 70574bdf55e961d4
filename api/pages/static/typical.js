// A page of a typical case is sent on by one tap, or its address is copied; and it is printed.
// Without this the address stands there to be copied by hand.

for (const box of document.querySelectorAll("[data-share]")) {
  const url = box.querySelector("input");
  const tap = box.querySelector("[data-share-tap]");
  const said = box.querySelector("[data-share-said]");
  const print = box.querySelector("[data-print]");
  const say = (words) => { said.textContent = words; };
  const select = () => { url.focus(); url.select(); };

  tap.hidden = print.hidden = false;
  tap.textContent = navigator.share ? "分享" : "复制地址";
  print.addEventListener("click", () => window.print());
  tap.addEventListener("click", async () => {
    if (navigator.share) {
      try {
        await navigator.share({ title: box.dataset.title, url: url.value });
        say("已打开分享。");
        return;
      } catch (failed) {
        if (failed.name === "AbortError") return; // changed their mind
      }
    }
    try {
      await navigator.clipboard.writeText(url.value);
      say("地址已复制，可以粘贴转发。");
    } catch {
      select();
      say("请复制选中的地址。");
    }
  });
}
