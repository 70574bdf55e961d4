// What a phone keeps of a report until it was taken in: the fields, and the photos themselves.
// Where a browser keeps nothing, nothing is kept, and the page works as before.

const AGE = 20 * 3600 * 1000; // ms: uploads are good for a day
const NAME = "report-draft";

export class Draft {
  constructor(store, owner) {
    this.name = `${NAME}:${owner}`;
    try {
      this.store = store === "session" ? sessionStorage : localStorage;
      const kept = JSON.parse(this.store.getItem(this.name) || "null");
      this.kept = kept && kept.fields ? kept : null;
    } catch {
      this.store = null;
      this.kept = null;
    }
  }

  get old() {
    return !this.kept || Date.now() - this.kept.at > AGE;
  }

  keep(key, fields, pending) {
    this.kept = { key, fields, pending, at: this.kept && this.kept.key === key ? this.kept.at : Date.now() };
    try {
      this.store?.setItem(this.name, JSON.stringify(this.kept));
    } catch { /* full, or not allowed */ }
  }

  forget() {
    this.kept = null;
    try {
      this.store?.removeItem(this.name);
    } catch { /* not allowed */ }
  }
}

// Photos by the draft's name, in the order they were picked.
export class Shelf {
  constructor(owner) {
    this.owner = owner;
  }

  open() {
    this.opened ||= new Promise((done, failed) => {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("photos", { keyPath: "id" });
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
    return this.opened;
  }

  async ask(mode, question) {
    try {
      const store = (await this.open()).transaction("photos", mode).objectStore("photos");
      return await new Promise((done, failed) => {
        const asked = question(store);
        asked.onsuccess = () => done(asked.result);
        asked.onerror = () => failed(asked.error);
      });
    } catch {
      return undefined;
    }
  }

  async all() {
    const found = (await this.ask("readonly", (store) => store.getAll())) || [];
    return found.filter((photo) => photo.owner === this.owner).sort((a, b) => a.at - b.at);
  }

  put(photo) {
    return this.ask("readwrite", (store) => store.put({ ...photo, owner: this.owner }));
  }

  drop(id) {
    return this.ask("readwrite", (store) => store.delete(id));
  }

  async clear() {
    for (const photo of await this.all()) await this.drop(photo.id);
  }
}
