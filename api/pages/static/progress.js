// A resident's page of a case, kept up to date while the case is worked on: what is only read is put
// in place, what is being written stays. Where other things can be done now, the page is loaded anew
// if nobody is doing anything on it; else that is offered.

const EVERY = 30000;
const page = document.querySelector("[data-progress]");
const state = document.querySelector("[data-progress-state]");
let typed = false;
document.addEventListener("input", () => { typed = true; });

const say = (text) => { if (state && state.textContent !== text) state.textContent = text; };
const idle = () => !typed && !document.querySelector("main details.card[open]")
  && (document.activeElement === document.body || !document.activeElement);

async function look() {
  if (document.hidden) return;
  let answer;
  try {
    answer = await fetch(page.dataset.progress, { headers: { Accept: "text/html" } });
  } catch {
    say("连接断开，进展可能不是最新。连上后自动更新。");
    return;
  }
  if (answer.redirected || !answer.ok) {
    say(answer.redirected || answer.status === 404 ? "看不到最新进展了，请刷新页面。" : "暂时取不到最新进展，稍后再试。");
    return;
  }
  const kept = document.createElement("template");
  kept.innerHTML = await answer.text();
  put(kept.content);
}

function put(told) {
  const fresh = told.querySelector("[data-stamp]");
  let changed = false;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const shown = document.querySelector(`main [data-part="${part.dataset.part}"]`);
    if (!shown || shown.innerHTML.trim() === part.innerHTML.trim() || shown.contains(document.activeElement)) continue;
    shown.replaceChildren(...part.childNodes);
    changed = true;
  }
  const other = page.dataset.stamp !== undefined && page.dataset.stamp !== fresh.dataset.stamp;
  if (other && idle()) {
    location.reload();
    return;
  }
  if (other) {
    offer();
    return;
  }
  // What may be done is the same, and what has changed is in sight: the forms are those of now.
  for (const version of document.querySelectorAll("main input[name=version]")) version.value = fresh.dataset.version;
  if (changed) say(`有新进展，${new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" })}已更新。`);
  else say("有新进展会自动显示。");
}

// What is being typed or read stays; one tap brings the page as it is now.
function offer() {
  if (!state || state.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "进展有变化，点此刷新页面";
  button.addEventListener("click", () => location.reload());
  state.replaceChildren("写了一半的内容会保留。", button);
}

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
addEventListener("online", look);
