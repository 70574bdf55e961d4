// The report page with a script: located, recognised, shrunk and sent while one fills it in. What
// is shown comes from the server as without a script; here it is only put in its place.

import { Draft, Shelf } from "./kept.js";
import { Photos, shrunk } from "./photos.js";
import { Voice } from "./voice.js";

const form = document.getElementById("report");
const by = (id) => document.getElementById(id);
const field = (name) => form.elements.namedItem(name);
const CRS = { wgs84: "WGS-84", gcj02: "GCJ-02", bd09: "BD-09", cgcs2000: "CGCS2000" };
const WRITING = 600; // ms without a key before one is taken to have paused
const EARTH = 40_075_016; // metres round the equator
const STEP = 0.0001; // degrees by which an arrow key moves the pin: ten metres
const FINGER = 8; // pixels by which a finger misses
const UNSURE = 100; // metres of accuracy beyond which the pin should be looked at

const owner = form.dataset.owner;
const draft = new Draft(form.dataset.store, owner);
const shelf = new Shelf(owner);
let pin = null;
let chosen = Boolean(form.querySelector("[name=indicator]:checked"));
let sending = false;
let over = false;

function lost(gone) {
  for (const note of document.querySelectorAll(".offline")) note.hidden = !gone;
}

function say(id, words, button, act) {
  const box = by(id);
  box.className = words ? "notice" : "";
  box.textContent = words;
  if (!button) return;
  const press = document.createElement("button");
  press.type = "button";
  press.textContent = button;
  press.addEventListener("click", act);
  box.append(" ", press);
}

// What the server is asked while one fills in ------------------------------------------------

function texts() {
  const found = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") found.append(name, value);
  return found;
}

const asking = {};
async function look(what) {
  asking[what]?.abort();
  asking[what] = new AbortController();
  const body = texts();
  for (const name of ["contact", "external_platform", "external_number"]) body.delete(name);
  try {
    const answer = await fetch(`/report/look/${what}`, {
      method: "POST", body, signal: asking[what].signal, headers: { "X-Asked-By": "script" },
    });
    if (answer.ok) swap(await answer.text());
  } catch { /* left for a newer question, or without a connection: nothing of it is needed */ }
}

function swap(text) {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  for (const fresh of [...parsed.body.children]) {
    const old = fresh.id && by(fresh.id);
    if (old) old.replaceWith(document.adoptNode(fresh));
  }
  recommend();
}

function recommend() {
  const told = by("kinds-told");
  const proposed = new Set([...told.querySelectorAll("[data-proposed]")].map((one) => one.dataset.proposed));
  for (const radio of form.querySelectorAll("[name=indicator]")) {
    radio.parentElement.classList.toggle("proposed", proposed.has(radio.value));
    if (!chosen && radio.value && radio.value === told.dataset.preselected && !radio.checked) {
      radio.checked = true;
      look("near");
    }
  }
  const text = field("text");
  if (told.dataset.transcript && !text.value.trim()) text.value = told.dataset.transcript;
  keep();
}

let pause = 0;
function after(what) {
  clearTimeout(pause);
  pause = setTimeout(what, WRITING);
}

// Where ------------------------------------------------------------------------------------

function place(lon, lat, crs, accuracy, words) {
  field("place.lon").value = lon;
  field("place.lat").value = lat;
  field("place.crs").value = crs;
  field("place.accuracy_m").value = accuracy;
  by("located").textContent = words;
  keep();
  return look("place").then(() => {
    showPin();
    if (by("place-told").dataset.lon) look("near");
  });
}

function locate() {
  const told = by("located");
  if (!navigator.geolocation) {
    told.textContent = "这台设备不能定位，请填写地址或附近的地名。";
    return;
  }
  told.textContent = "正在定位…";
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    const crs = form.dataset.crs, accuracy = Math.max(1, Math.round(coords.accuracy));
    const at = { lon: coords.longitude, lat: coords.latitude, crs, accuracy_m: accuracy };
    for (const [name, value] of Object.entries(at)) field(`place.device.${name}`).value = value;
    const unsure = accuracy > UNSURE ? "偏差较大，请在地图上核对。" : "不准可以在地图上改。";
    place(at.lon, at.lat, crs, accuracy, `手机定位，精度约${accuracy}米（${CRS[crs]}）。${unsure}`);
  }, (refused) => {
    told.textContent = refused.code === 1
      ? "没有允许定位。请填写地址或附近的地名，或在地图上点选。"
      : "没有定位成功。请再试一次，或填写地址。";
  }, { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 });
}

// The map opens itself when it comes in sight; its pin is there once there is a place.
function showPin() {
  const { lon, lat } = by("place-told").dataset;
  if (!pin || !lon) return;
  const mark = pin.pin.addTo(pin.map).getElement();
  mark.setAttribute("aria-label", "问题所在的位置，可拖动，也可用方向键移动");
  pin.pin.setLatLng(pin.latLng(Number(lon), Number(lat)));
  pin.look(Number(lon), Number(lat), Math.max(pin.map.getZoom(), 15));
}

const chart = form.querySelector("[data-map]");
chart.addEventListener("opened", ({ detail }) => {
  pin = detail;
  pin.follow(null);
  const side = document.documentElement.classList.contains("elder") ? 60 : 44; // what a finger needs
  pin.pin.setIcon(pin.L.divIcon({ className: "pin-mark", iconSize: [side, side], iconAnchor: [side / 2, side / 2] }));
  pin.pin.remove();
  showPin();
});
chart.addEventListener("keydown", (event) => {
  const way = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!way || !event.target.classList.contains("pin-mark")) return;
  event.preventDefault();
  event.stopPropagation();
  const { lat, lng } = pin.pin.getLatLng();
  pin.pin.setLatLng([lat + way[0] * STEP, lng + way[1] * STEP]);
  pin.told(true);
}, true);
chart.addEventListener("pinned", ({ detail: { lon, lat } }) => {
  const metres = (EARTH * Math.cos((lat * Math.PI) / 180)) / 2 ** (pin.map.getZoom() + 8);
  const accuracy = Math.max(5, Math.round(FINGER * metres));
  place(lon.toFixed(6), lat.toFixed(6), "wgs84", accuracy, `在地图上选的位置，精度约${accuracy}米（WGS-84）。`);
});

// Photos that outlive the page ---------------------------------------------------------------

class KeptPhotos extends Photos {
  wait() { /* sending waits by itself */ }

  async add(file, source) {
    const blob = await shrunk(file);
    const photo = { id: `${Date.now()}-${Math.random()}`, blob, source, at: Date.now() };
    await shelf.put(photo);
    await this.show(photo);
  }

  async show(photo) {
    const item = document.createElement("li");
    item.className = "picked-one";
    item.photo = photo;
    const image = document.createElement("img");
    image.alt = `照片${this.list.children.length + 1}`;
    image.src = URL.createObjectURL(photo.blob);
    const state = document.createElement("span");
    item.append(image, state);
    this.list.append(item);
    this.removable(item);
    if (photo.upload && photo.key === field("key").value) {
      this.cite(item, photo.upload, photo.source);
      state.textContent = "已上传";
      this.changed();
    } else {
      await this.send(item, state, photo.blob, photo.source);
    }
  }

  cite(item, upload, source) {
    const cited = document.createElement("input");
    cited.type = "hidden";
    cited.name = this.field.dataset.name;
    cited.value = `${upload} ${source}`;
    item.append(cited);
  }

  async send(item, state, file, source) {
    await super.send(item, state, file, source);
    const cited = item.querySelector("input[type=hidden]");
    if (cited && item.photo) {
      item.photo.upload = cited.value.split(" ")[0];
      item.photo.key = field("key").value;
      if (item.isConnected && !over) await shelf.put(item.photo);
    }
  }

  removable(item) {
    super.removable(item);
    item.querySelector("button:last-of-type").addEventListener("click", () => item.photo && shelf.drop(item.photo.id));
  }

  retry() {
    for (const again of this.list.querySelectorAll("button.again")) again.click();
  }

  get unsent() {
    return [...this.list.children].some((item) => !item.querySelector("input[type=hidden]"));
  }

  settled() {
    return Promise.allSettled([...this.pending]);
  }
}

const photos = new KeptPhotos(form.querySelector("[data-kept]"), lost);

async function recorded(blob) {
  const body = new FormData();
  body.append("file", blob, "voice");
  for (const name of ["key", "token"]) body.append(name, field(name).value);
  let answer;
  try {
    answer = await fetch("/uploads/recording", { method: "POST", body });
  } catch {
    throw new Error("录音没有传上去，网络恢复后再试。");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail || "录音没有传上去，请再试一次。");
  return told.upload;
}
new Voice(by("voice"), recorded, () => {
  keep();
  look("kinds");
});

// The draft ---------------------------------------------------------------------------------

const NOT_KEPT = new Set(["token", "key", "photos", "recognition", "near_shown"]);

function keep(pending = draft.kept?.pending && draft.kept.key === field("key").value) {
  if (over) return;
  const fields = [...texts()].filter(([name, value]) => value && !NOT_KEPT.has(name));
  draft.keep(field("key").value, fields, Boolean(pending));
}

function fillIn(fields) {
  const given = new URLSearchParams(location.search).has("lon");
  for (const [name, value] of fields) {
    if (name === "source_channel" || (given && name.startsWith("place."))) continue;
    for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (input.type === "radio" || input.type === "checkbox") input.checked = input.checked || input.value === value;
      else if (input.type !== "file") input.value = value;
    }
    if (name === "recording" && !field("recording") && !draft.old) {
      const item = document.createElement("p");
      item.dataset.recorded = "";
      item.textContent = "录音已上传";
      const cited = document.createElement("input");
      Object.assign(cited, { type: "hidden", name, value });
      item.append(cited);
      by("voice").after(item);
    }
    if (name === "no_photo_reason") by("report-no_photo_reason").open = true;
  }
}

async function restore() {
  const kept = draft.kept, stored = await shelf.all();
  const told = kept ? kept.fields.filter(([name]) => name !== "source_channel" && name !== "place.crs") : [];
  if (form.dataset.new !== "yes" || (!told.length && !stored.length)) return false;
  if (kept && !draft.old) field("key").value = kept.key;
  fillIn(kept ? kept.fields : []);
  chosen = Boolean(form.querySelector("[name=indicator]:checked"));
  const pending = kept?.pending;
  for (const photo of stored) photos.show(photo);
  if (pending) say("draft-told", "上次填的上报还没有送出。", "现在发送", () => send());
  else say("draft-told", "已恢复上次没交的内容。", "清空重填", startAgain);
  return true;
}

async function forget() {
  over = true; // an answer that is still on its way must not bring it back
  draft.forget();
  await shelf.clear();
}

async function startAgain() {
  await forget();
  location.assign(location.pathname + location.search);
}

// Sending -----------------------------------------------------------------------------------

async function send(button) {
  if (sending) return;
  sending = true;
  by("send").setAttribute("aria-busy", "true");
  try {
    keep();
    if (navigator.onLine === false) hold("网络断了。填写的内容和照片都存在这台手机上，恢复后自动发送一次。");
    else await sent(button);
  } finally {
    sending = false;
    by("send").removeAttribute("aria-busy");
  }
}

function hold(words, button, act) {
  keep(true);
  say("draft-told", "");
  say("sending", words, button, act);
}

async function sent(button) {
  say("sending", photos.pending.size ? "正在上传照片…" : "正在提交…");
  await photos.settled();
  if (photos.unsent) {
    photos.retry();
    await photos.settled();
  }
  if (photos.unsent) {
    keep();
    const gone = navigator.onLine === false;
    if (gone) hold("网络断了，照片还没有传完，恢复后自动发送一次。");
    else say("sending", "有照片没有传上去。请再试一次，或移除那张照片再提交。");
    return;
  }
  const body = new FormData(form);
  for (const name of ["camera_files", "album_files", "recording_file", "do", "join"]) body.delete(name);
  if (button?.name) body.append(button.name, button.value);
  let answer, told;
  try {
    answer = await fetch("/report", { method: "POST", body, headers: { "X-Asked-By": "script" } });
    told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : await answer.text();
  } catch {
    // It may have arrived: sent again under the same key it is still one report.
    if (navigator.onLine === false) hold("没有送达：网络断了。内容都在，恢复后自动再发一次，只算一份。");
    else hold("没有送达。内容都在，再按一次就行，只算一份。", "再发一次", () => send(button));
    return;
  }
  if (answer.status === 201) {
    await forget();
    location.assign(told.to);
    return;
  }
  keep(false);
  say("sending", typeof told === "string" ? "" : told.detail || "没有提交成功，请再试一次。");
  if (typeof told === "string") refused(told);
}

function refused(text) {
  for (const marked of form.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
  swap(text);
  for (const line of by("refused-told").querySelectorAll("[data-field]")) {
    const input = form.querySelector(`[name="${CSS.escape(line.dataset.field)}"]:not([type=radio]):not([type=hidden])`);
    input?.setAttribute("aria-invalid", "true");
  }
  by("refused-told").querySelector(".refused")?.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  if (event.submitter?.name === "do") look("places");
  else send(event.submitter?.name === "join" ? event.submitter : undefined);
});

addEventListener("online", () => {
  photos.retry();
  if (!draft.kept?.pending) return;
  say("sending", "网络恢复了，正在发送…");
  send();
});

// Coming back to a page that was sent: what is on it now is a new report.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// What one does -----------------------------------------------------------------------------

form.addEventListener("change", (event) => {
  const { name, value } = event.target;
  if (name === "indicator") {
    chosen = true;
    look("near");
  }
  if (name === "place.kind") by("indoor").hidden = value !== "indoor";
  if (name === "place.pick") {
    const [lon, lat, accuracy, ...words] = value.split(" ");
    by("report-place-address").value = words.join(" ");
    place(lon, lat, "wgs84", accuracy, `按地名找到的位置，误差约${accuracy}米。不准可以在地图上改。`);
  }
  if (["place.lon", "place.lat", "place.crs", "place.accuracy_m"].includes(name)) after(() => look("place").then(() => look("near")));
  keep();
});
form.addEventListener("input", (event) => {
  if (event.target.name === "text") after(() => look("kinds"));
  keep();
});
form.addEventListener("photos", () => {
  by("report-no_photo_reason").hidden = photos.list.children.length > 0;
  keep();
  look("kinds");
  if (field("place.lon").value) look("near");
});
by("report-place-address").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  look("places");
});
by("locate").addEventListener("click", locate);

document.documentElement.classList.add("scripted");
restore().then((again) => {
  if (again) {
    if (field("place.lon").value) look("place").then(showPin);
    else locate();
    look("kinds");
  } else if (!field("place.lon").value && form.dataset.new === "yes" && form.dataset.locate === "yes") {
    locate();
  }
});
