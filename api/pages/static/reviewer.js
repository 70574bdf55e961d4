// 审核台 by keys alone: what is next, decide, confirm. Everything here is a form or a link that works
// without it. Keys are not taken while somebody types, and can be switched off for this browser.

const desk = document.querySelector("[data-desk]");
const pane = desk?.querySelector(".pane");
const SWITCH = "reviewer-keys";
const EVERY = 20_000; // milliseconds between two looks at the queue
const RENEWED = 600_000; // a claim holds for 15 minutes

// A new one for each thing that is sent; a page over plain HTTP has no randomUUID.
const key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// the keys ------------------------------------------------------------------------------------

function kept() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}
let keys = kept();

const bar = document.querySelector("[data-keys-bar]");
const toggle = document.querySelector("[data-keys]");
const legendButton = document.querySelector("[data-legend]");
const legend = document.getElementById("legend");

function tellSwitch() {
  toggle.setAttribute("aria-pressed", String(keys));
  toggle.textContent = keys ? "快捷键：开" : "快捷键：关";
  document.documentElement.classList.toggle("keyed", keys);
}

function showLegend(open) {
  legend.hidden = !open;
  legendButton.setAttribute("aria-expanded", String(open));
}

if (bar) {
  bar.hidden = false;
  tellSwitch();
  toggle.addEventListener("click", () => {
    keys = !keys;
    try {
      localStorage.setItem(SWITCH, keys ? "on" : "off");
    } catch { /* it holds for this page */ }
    tellSwitch();
  });
  legendButton.addEventListener("click", () => showLegend(legend.hidden));
}

const typing = (element) =>
  element.isContentEditable ||
  element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=button], [type=submit])");

function open(letter) {
  const near = letter === "m" && desk.querySelector("[data-merge] [data-go]");
  if (near) {
    near.focus();
    return true;
  }
  const decision = pane?.querySelector(`details[data-key="${letter}"]`);
  if (!decision) return false;
  decision.open = true;
  const field = decision.querySelector("[aria-invalid=true], select:not([data-other]), textarea");
  const chosen = decision.querySelector("input[type=radio]:checked");
  const go = decision.querySelector("[data-go]");
  // What is ready is confirmed by Enter; where something is to be chosen first, that has the focus.
  const first = { a: go, d: chosen, m: go, c: decision.querySelector("input[type=checkbox]") }[letter] || field || go;
  first?.focus();
  first?.scrollIntoView({ block: "nearest" });
  return true;
}

function choose(number) {
  const register = pane?.querySelector('details[data-key="a"][open]');
  const radio = register?.querySelectorAll(".choice input[type=radio]")[number - 1];
  if (!radio) return false;
  radio.checked = true;
  register.querySelector("[data-go]").focus();
  return true;
}

function go(address) {
  if (!address) {
    say("这个清单里没有别的案件了。");
    return true;
  }
  leave();
  location.assign(address);
  return true;
}

const KEYS = {
  j: () => go(desk.dataset.later),
  k: () => go(desk.dataset.earlier),
  "/": () => (document.getElementById("find").focus(), true),
  "?": () => (showLegend(legend.hidden), true),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") {
    if (typing(document.activeElement)) document.activeElement.blur();
    else showLegend(false);
    return;
  }
  if (!keys || !desk) return;
  const form = event.key === "Enter" && event.target.matches("select") && event.target.closest(".decision form");
  if (form) {
    event.preventDefault(); // what was chosen is confirmed as everything else is
    form.requestSubmit(form.querySelector("[data-go]"));
    return;
  }
  if (typing(event.target)) return;
  const pressed = event.key.toLowerCase();
  const done = KEYS[pressed] ? KEYS[pressed]() : /^[1-9]$/.test(pressed) ? choose(Number(pressed)) : /^[a-z]$/.test(pressed) && open(pressed);
  if (done) event.preventDefault();
});

// A link to a decision opens it, too.
pane?.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#do-']");
  if (link) document.getElementById(link.hash.slice(1)).open = true;
});

// choosing from the list of the others chooses "other" -------------------------------------------

for (const select of document.querySelectorAll("[data-other]")) {
  select.addEventListener("change", () => {
    select.closest(".other").querySelector("input[type=radio]").checked = true;
  });
}

// the desk's own words for a code stand in the field until somebody writes others ------------------

for (const box of document.querySelectorAll("[data-letters]")) {
  const letters = JSON.parse(box.dataset.letters);
  const code = box.querySelector("select"), words = box.querySelector("textarea");
  code.addEventListener("change", () => {
    const own = words.value.trim() && !Object.values(letters).includes(words.value.trim());
    if (!own) words.value = letters[code.value] || "";
  });
}

// claiming -----------------------------------------------------------------------------------------

const says = pane?.querySelector("[data-claim-says]");
const changed = pane?.querySelector("[data-changed]");
let claiming = null;
let claimed = false;

function say(words, address = "") {
  if (!changed) return;
  changed.textContent = words;
  if (address) {
    const link = document.createElement("a");
    link.className = "button";
    link.href = address;
    link.textContent = "看最新的（填写的内容会留着）";
    changed.append(" ", link);
  }
  changed.hidden = false;
}

const here = () => desk.dataset.here;

const send = (form, more = {}) =>
  fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), ...more });

async function claim(form) {
  form.hidden = true;
  let answer;
  try {
    answer = await send(form);
  } catch {
    form.hidden = false; // no connection: it can be claimed by hand later
    return;
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) {
    // Our own claim is the only thing that has happened since: the forms may say so.
    for (const input of desk.querySelectorAll("input[name=version]")) input.value = told.version;
    claimed = true;
    says.textContent = "您已领办，15分钟内别人不会再打开这件。";
    return;
  }
  const since = (told.since || []).join("；");
  say(`这件案件刚刚有变化：${since || told.says || "请看最新的情况。"}`, here());
}

// A form that is sent while the claim is under way would be told of our own claim: it waits.
document.addEventListener("submit", (event) => {
  if (!claiming) return;
  const { target, submitter } = event;
  event.preventDefault();
  event.stopImmediatePropagation();
  claiming.finally(() => target.requestSubmit(submitter));
}, true);

const wanted = pane?.querySelector("form[data-claim]");
if (wanted && pane.offsetParent !== null && !document.querySelector(".refused")) {
  claiming = claim(wanted).finally(() => { claiming = null; });
}

// Who takes longer keeps it: the claim is made again before it lapses, as long as the page is seen.
setInterval(() => {
  const form = pane?.querySelector("form[data-claim]");
  if (!claimed || claiming || !form || document.visibilityState !== "visible") return;
  form.querySelector("[name=key]").value = key();
  claiming = claim(form).finally(() => { claiming = null; });
}, RENEWED);

// Who goes on without deciding leaves the case to the others.
function leave() {
  const form = pane?.querySelector("form[data-claim], form[data-release]");
  if (!form || !(claimed || form.matches("[data-release]"))) return;
  const body = new URLSearchParams(new FormData(form));
  body.delete("version");
  body.set("key", key());
  fetch(`/desk/reviewer/${desk.dataset.open}/release`, { method: "POST", headers: { Accept: "application/json" }, body, keepalive: true }).catch(() => {});
  claimed = false;
}
desk?.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/desk/reviewer']");
  if (link && !link.matches("[data-refresh]") && !link.closest("[data-changed]")) leave();
});

// the queue looks again ------------------------------------------------------------------------------

const queue = desk?.querySelector("[data-queue]");
let tag = "";

async function lookAgain() {
  let answer;
  try {
    answer = await fetch(queue.dataset.url, { headers: { Accept: "application/json", ...(tag && { "If-None-Match": tag }) }, cache: "no-store" });
  } catch {
    answer = null;
  }
  const gone = !answer || (answer.status !== 200 && answer.status !== 304);
  if (gone) {
    const lost = queue.querySelector("[data-lost]");
    if (answer?.status === 401) lost.textContent = "登录已过期。请在新窗口登录后再刷新，填写的内容还在。";
    lost.hidden = false;
    return;
  }
  queue.querySelector("[data-lost]").hidden = true;
  if (answer.status === 304) return;
  tag = answer.headers.get("ETag") || "";
  const at = document.activeElement?.closest("[data-queue]") ? document.activeElement : null;
  const again = at && [at.dataset.number && `[data-number="${at.dataset.number}"]`, at.getAttribute("href") && `a[href="${CSS.escape(at.getAttribute("href"))}"]`].find(Boolean);
  queue.innerHTML = await answer.text();
  if (again) queue.querySelector(again)?.focus();
  stillHere();
}

// Whether the open case has moved on meanwhile. What was typed stays; a link leads to the latest.
function stillHere() {
  const number = desk.dataset.open;
  if (!number || claiming) return;
  const row = queue.querySelector(`[data-number="${number}"]`);
  const version = Number(pane.querySelector("input[name=version]")?.value || 0);
  if (row?.dataset.version && Number(row.dataset.version) > version && version) {
    say("这件案件刚刚有变化。", here());
  } else if (!row && listed) {
    say("这件案件已不在清单里，可能已由他人办理。", here());
  }
}

let listed = false;
if (queue) {
  const row = queue.querySelector("a[aria-current][data-number]");
  const hidden = row && row.getBoundingClientRect().bottom > queue.getBoundingClientRect().bottom;
  if (hidden) queue.scrollTop = row.getBoundingClientRect().top - queue.getBoundingClientRect().top - queue.clientHeight / 3;
  listed = Boolean(desk.dataset.open && queue.querySelector(`[data-number="${desk.dataset.open}"]`));
  queue.addEventListener("click", (event) => {
    if (!event.target.closest("[data-refresh]")) return;
    event.preventDefault();
    lookAgain();
  });
  setInterval(() => document.visibilityState === "visible" && lookAgain(), EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && lookAgain());
}
