// What a phone keeps of a report until it was taken in: the fields, and the photos themselves.
// Where a browser keeps nothing, nothing is kept, and the page works as before.

const AGE = 20 * 3600 * 1000; // ms: uploads are good for a day
const FORGOTTEN = 7 * 24 * 3600 * 1000; // ms: nobody comes back to it
const NAME = "report-draft";

/** Throw away whatever this browser keeps of reports that were not sent, for a phone that others use too. */
export function forgetAll() {
  for (const store of [localStorage, sessionStorage]) {
    for (const name of Object.keys(store)) if (name.startsWith(NAME)) store.removeItem(name);
  }
  indexedDB.deleteDatabase(NAME);
}

export class Draft {
  constructor(store, owner) {
    this.name = `${NAME}:${owner}`;
    try {
      this.store = store === "session" ? sessionStorage : localStorage;
      const kept = JSON.parse(this.store.getItem(this.name) || "null");
      this.kept = kept && kept.fields && Date.now() - kept.at < FORGOTTEN ? kept : null;
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
    this.opened = this.opened || new Promise((done, failed) => {
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
    const stored = (await this.ask("readonly", (store) => store.getAll())) || [];
    const found = stored.filter((photo) => Date.now() - photo.at < FORGOTTEN);
    for (const photo of stored) if (!found.includes(photo)) await this.drop(photo.id);
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
