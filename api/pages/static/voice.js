// A few words into the microphone: at most a minute, kept as evidence, sent as it is stopped.

const LONGEST = 60; // seconds; the server takes no more
const KINDS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus", "audio/webm"];
const BITS = 32_000; // a second: a voice is clear, a minute is 240 kB

export class Voice {
  constructor(box, send, changed) {
    this.box = box;
    this.button = box.querySelector("#record");
    this.told = box.querySelector("#recording-told");
    this.send = send;
    this.changed = changed;
    if (!window.MediaRecorder || !navigator.mediaDevices?.getUserMedia) return;
    box.hidden = false;
    this.button.addEventListener("click", () => (this.recorder ? this.stop() : this.start()));
  }

  async start() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      this.told.textContent = "没有麦克风，或没有允许使用。可以写几句话。";
      return;
    }
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const pieces = [];
    this.recorder = new MediaRecorder(this.stream, { mimeType, audioBitsPerSecond: BITS });
    this.recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    this.recorder.addEventListener("stop", () => this.done(new Blob(pieces, { type: this.recorder.mimeType })));
    this.recorder.start();
    this.began = performance.now();
    this.button.setAttribute("aria-pressed", "true");
    this.button.textContent = "说完了，按一下停止";
    this.tick();
    this.timer = setInterval(() => this.tick(), 500);
  }

  tick() {
    const seconds = Math.floor((performance.now() - this.began) / 1000);
    this.told.textContent = `正在录音 ${seconds}秒，最长${LONGEST}秒`;
    if (seconds >= LONGEST - 1) this.stop();
  }

  stop() {
    clearInterval(this.timer);
    this.button.removeAttribute("aria-pressed");
    this.button.textContent = "重新录一段";
    if (this.recorder.state !== "inactive") this.recorder.stop();
    for (const track of this.stream.getTracks()) track.stop();
  }

  async done(blob) {
    this.recorder = null;
    const item = document.createElement("p");
    item.dataset.recorded = "";
    const sound = document.createElement("audio");
    sound.controls = true;
    sound.src = URL.createObjectURL(blob);
    sound.setAttribute("aria-label", "刚才的录音");
    const drop = document.createElement("button");
    drop.type = "button";
    drop.textContent = "删除录音";
    drop.addEventListener("click", () => {
      item.remove();
      this.changed();
    });
    item.append(sound, drop);
    this.box.parentElement.querySelector("[data-recorded]")?.remove();
    this.box.after(item);
    await this.sent(item, blob);
  }

  async sent(item, blob) {
    this.told.textContent = "正在上传录音…";
    try {
      const cited = document.createElement("input");
      cited.type = "hidden";
      cited.name = "recording";
      cited.value = await this.send(blob);
      if (item.isConnected) item.append(cited);
      this.told.textContent = "录音已上传";
      this.changed();
    } catch (error) {
      this.told.textContent = `${error.message} `;
      const again = document.createElement("button");
      again.type = "button";
      again.textContent = "再传一次";
      again.addEventListener("click", () => this.sent(item, blob));
      this.told.append(again);
    }
  }
}
