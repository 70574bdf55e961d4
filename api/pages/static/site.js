// What every page does better with a script. Nothing here is needed: forms are plain forms.

const root = document.documentElement;
root.classList.add("scripted");

// A form is sent once, however often it is tapped. Coming back to the page makes it ready again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask && !form.dataset.asked) {
    event.preventDefault();
    ask(form, event.submitter);
    return;
  }
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post") return;
  if (navigator.onLine === false) {
    event.preventDefault();
    lost(true);
    return;
  }
  form.dataset.sending = "yes";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-busy", "true");
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) {
    delete form.dataset.sending;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-busy");
  }
});

// Asked once more in the page itself, no window over it: a second tap on the same button confirms.
function ask(form, button) {
  const said = form.querySelector(".asked") || document.createElement("p");
  said.className = "asked wrong";
  said.setAttribute("role", "alert");
  said.textContent = `${form.dataset.ask}再按一次即办理。`;
  form.append(said);
  form.dataset.asked = "yes";
  button?.focus();
}

// Without a connection nothing is lost: the page says so and waits.
function lost(gone) {
  for (const note of document.querySelectorAll(".offline")) note.hidden = !gone;
}
addEventListener("offline", () => lost(true));
addEventListener("online", () => lost(false));

// Words typed into a form stay on this device until the form was taken in.
const drafts = "draft:";
for (const form of document.querySelectorAll("form[data-draft]")) {
  const name = drafts + form.dataset.draft;
  const fields = () => [...form.querySelectorAll("textarea, input[type=text], input:not([type])")];
  try {
    const kept = JSON.parse(sessionStorage.getItem(name) || "{}");
    for (const field of fields()) if (!field.value && kept[field.name]) field.value = kept[field.name];
    form.addEventListener("input", () => {
      const typed = Object.fromEntries(fields().map((field) => [field.name, field.value]));
      sessionStorage.setItem(name, JSON.stringify(typed));
    });
  } catch { /* a browser that keeps nothing: the server gives back what was typed anyway */ }
}
if (document.querySelector(".said")) {
  try {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith(drafts)) sessionStorage.removeItem(name);
    }
  } catch { /* nothing was kept */ }
}

// Time left, counted down from the moment that the server told, in the parts that it named. A clock
// that counts in duty or working time only ticks from `from` to `until`, and stands otherwise.
const PLAIN = "86400:天:天,3600:小时:小时,60:分钟:分钟";
const remaining = (seconds, scale) => {
  let rest = Math.floor(Math.abs(seconds)), words = "", last = "";
  for (const part of (scale || PLAIN).split(",")) {
    const [size, leads, follows] = part.split(":");
    const amount = Math.floor(rest / size);
    rest %= size;
    if (amount) words += amount + (words ? follows : leads);
    last = leads;
  }
  return (seconds < 0 ? "已超期" : "还剩") + (words || `不足1${last}`);
};
const now = Date.parse(document.querySelector("[data-now]")?.dataset.now || "") || null;
const began = performance.now();
function tick() {
  if (now === null) return;
  const at = now + performance.now() - began;
  for (const due of document.querySelectorAll("[data-left]")) {
    const { left, from, until, scale } = due.dataset;
    const starts = from ? Date.parse(from) : -Infinity, stops = until ? Date.parse(until) : Infinity;
    const counted = Math.min(Math.max(at, starts), stops);
    due.textContent = remaining((Date.parse(left) - counted) / 1000, scale);
    if (at >= stops || (from && at >= starts)) stands(due.nextElementSibling, at, at >= stops);
  }
}

// The words beside a clock that has stopped meanwhile, or goes on again.
function stands(note, at, stopped) {
  if (!note?.matches(".stands")) return;
  const { stands: words, again } = note.dataset;
  if (!stopped) note.textContent = "";
  else note.textContent = words && at < Date.parse(again) ? words : "刷新页面看最新的剩余时间";
}
tick();
setInterval(tick, 30000);

// Who came back to a refused form starts at what is wrong with it.
document.querySelector(".refused")?.focus();

// Photos are sent as they are picked, maps open when they come in sight: the modules are fetched
// only where there is something for them.
if (document.querySelector("[data-photos]")) import("./photos.js").then((photos) => photos.begin(lost));
if (document.querySelector("[data-map]")) import("./map.js");
