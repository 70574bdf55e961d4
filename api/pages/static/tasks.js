// Lists that keep themselves up to date: asked for again while the page is seen, put in place where
// nobody is just filling something in there. Without a script the page is loaded anew.

const EVERY = 20000;

for (const part of document.querySelectorAll("[data-live]")) watch(part);

function watch(part) {
  const state = document.querySelector("[data-live-state]");
  let shown = null; // what the server told last; the page itself is the first
  let typed = false;
  part.addEventListener("input", () => { typed = true; });

  const say = (text) => { if (state && state.textContent !== text) state.textContent = text; };
  const busy = () => typed || part.querySelector("details[open]") || part.contains(document.activeElement);

  async function look() {
    if (document.hidden) return;
    let answer;
    try {
      answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
    } catch {
      say("连接断开，清单可能不是最新。连上后自动更新；着急请刷新页面。");
      return;
    }
    if (answer.redirected || !answer.ok) {
      say(answer.redirected ? "登录已结束，请刷新页面重新登录。" : "暂时取不到最新清单，稍后再试。");
      return;
    }
    const text = (await answer.text()).trim();
    const at = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" });
    if (text === shown) say(`${at}已核对，清单是最新的。`);
    else if (busy()) {
      if (shown === null) shown = text;
      else offer();
    }
    else {
      part.innerHTML = text;
      shown = text;
      say(`${at}已更新。`);
    }
  }

  // What is being typed or read stays; one tap brings the new list.
  function offer() {
    if (!state || state.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "清单有变化，点此刷新";
    button.addEventListener("click", () => location.reload());
    state.replaceChildren(button);
  }

  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
  addEventListener("online", look);
}
