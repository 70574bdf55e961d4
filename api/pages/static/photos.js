// Photos: shrunk on the phone, shown at once, sent while the rest is filled in. A photo that could
// not be sent stays, with a button to try again; the form waits for those that are under way.

const LONGEST = 1920; // pixels: enough to see a plate of a bollard, a fifth of the bytes
const QUALITY = 0.82;

export function begin(lost) {
  for (const field of document.querySelectorAll("[data-photos]")) new Photos(field, lost);
}

export async function shrunk(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    if (scale === 1 && file.size < 600_000 && file.type === "image/jpeg") return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
  } catch {
    return file; // a kind that this browser cannot open, such as HEIC: the server can
  }
}

export class Photos {
  constructor(field, lost) {
    this.field = field;
    this.form = field.closest("form");
    this.list = field.querySelector("[data-picked]");
    this.lost = lost;
    this.pending = new Set();
    for (const input of field.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        for (const file of input.files) this.add(file, input.dataset.source);
        input.value = "";
      });
    }
    this.form.addEventListener("submit", (event) => this.wait(event));
    for (const item of this.list.children) this.removable(item);
  }

  async add(file, source) {
    const item = document.createElement("li");
    item.className = "picked-one";
    const image = document.createElement("img");
    image.alt = "待上传的照片";
    image.src = URL.createObjectURL(file);
    const state = document.createElement("span");
    item.append(image, state);
    this.list.append(item);
    this.removable(item);
    await this.send(item, state, file, source);
  }

  removable(item) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "移除";
    button.addEventListener("click", () => {
      item.remove();
      this.changed();
    });
    item.append(button);
  }

  async send(item, state, file, source) {
    state.textContent = "上传中…";
    const sending = this.upload(file);
    this.pending.add(sending);
    try {
      const upload = await sending;
      state.textContent = "已上传";
      const cited = document.createElement("input");
      cited.type = "hidden";
      cited.name = this.field.dataset.name;
      cited.value = `${upload} ${source}`;
      if (item.isConnected) item.append(cited);
    } catch (error) {
      state.textContent = error.message;
      const again = document.createElement("button");
      again.type = "button";
      again.className = "again";
      again.textContent = "再试一次";
      again.addEventListener("click", () => {
        again.remove();
        this.send(item, state, file, source);
      });
      item.append(again);
    } finally {
      this.pending.delete(sending);
      this.changed();
    }
  }

  changed() {
    this.field.dispatchEvent(new CustomEvent("photos", { bubbles: true }));
  }

  async upload(file) {
    const body = new FormData();
    body.append("file", await shrunk(file), "photo.jpg");
    for (const name of ["key", "token", "case", "link"]) {
      const input = this.form.querySelector(`input[name="${name}"]`);
      if (input) body.append(name, input.value);
    }
    let answer;
    try {
      answer = await fetch("/uploads/photo", { method: "POST", body });
    } catch {
      this.lost(navigator.onLine === false);
      throw new Error("没有传上去，网络恢复后再试。");
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || "没有传上去，请再试一次。");
    return told.upload;
  }

  wait(event) {
    if (!this.pending.size) return;
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter;
    button?.setAttribute("aria-busy", "true");
    Promise.allSettled([...this.pending]).then(() => {
      button?.removeAttribute("aria-busy");
      this.form.requestSubmit(button);
    });
  }
}
