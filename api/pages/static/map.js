// The map: 街镇 boundaries of our own, a pin that can be dragged, points that lead to cases; under
// them the map of others that is set, if one is. The library is fetched when a map comes in sight.
//
// Positions come and go in WGS-84. Where the map below draws in GCJ-02, what we draw is shifted
// there, and the pin is shifted back. Formula: the published approximation of GCJ-02 on the
// Krasovsky ellipsoid, the same as geo/coordinates.py; a test holds the two together.

const A = 6378245, EE = 0.00669342162296594323;

function shift(lon, lat) {
  const x = lon - 105, y = lat - 35, p = Math.PI;
  const wave = (a, b, c, d) => a * Math.sin(b * p) + c * Math.sin(d * p);
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  dLat += ((wave(20, 6 * x, 20, 2 * x) + wave(20, y, 40, y / 3) + wave(160, y / 12, 320, y / 30)) * 2) / 3;
  dLon += ((wave(20, 6 * x, 20, 2 * x) + wave(20, x, 40, x / 3) + wave(150, x / 12, 300, x / 30)) * 2) / 3;
  const rad = (lat / 180) * p, magic = 1 - EE * Math.sin(rad) ** 2, root = Math.sqrt(magic);
  return [(dLon * 180) / ((A / root) * Math.cos(rad) * p), (dLat * 180) / (((A * (1 - EE)) / (magic * root)) * p)];
}

/** WGS-84 degrees to GCJ-02 degrees. */
export function toGcj02(lon, lat) {
  const [dx, dy] = shift(lon, lat);
  return [lon + dx, lat + dy];
}

/** GCJ-02 degrees to WGS-84 degrees: steps back until the way there meets; under a centimetre. */
export function toWgs84(lon, lat) {
  let x = lon, y = lat;
  for (let step = 0; step < 6; step += 1) {
    const [gx, gy] = toGcj02(x, y);
    x += lon - gx;
    y += lat - gy;
  }
  return [x, y];
}

const SAME = (lon, lat) => [lon, lat];
const HAIDIAN = [116.24, 40.03];

let library;
function fetched(element) {
  library = library || new Promise((done, failed) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = element.dataset.style;
    const script = document.createElement("script");
    script.src = element.dataset.library;
    script.onload = () => done(window.L);
    script.onerror = failed;
    document.head.append(style, script);
  });
  return library;
}

/** A map in an element made by the macro of map.html. Null where the library is not there. */
export async function open(element) {
  if (!element.dataset.library) return null;
  let L;
  try {
    L = await fetched(element);
  } catch {
    return null;
  }
  return element.own || (element.own = new OwnMap(L, element));
}

class OwnMap {
  constructor(L, element) {
    this.L = L;
    this.element = element;
    this.base = JSON.parse(element.dataset.base);
    const shifted = this.base.crs === "gcj02";
    this.there = shifted ? toGcj02 : SAME;
    this.back = shifted ? toWgs84 : SAME;
    element.replaceChildren();
    const { lon, lat, zoom } = element.dataset;
    this.map = L.map(element, { zoomControl: true, attributionControl: true });
    this.map.attributionControl.setPrefix(false).addAttribution(this.base.says);
    for (const [selector, words] of [[".leaflet-control-zoom-in", "放大"], [".leaflet-control-zoom-out", "缩小"]]) {
      const button = element.querySelector(selector);
      button.title = words;
      button.setAttribute("aria-label", words);
    }
    for (const tiles of this.base.tiles) {
      L.tileLayer(tiles, { subdomains: this.base.subdomains, maxZoom: 18, referrerPolicy: "strict-origin" }).addTo(this.map);
    }
    if (lon) this.look(Number(lon), Number(lat), Number(zoom));
    else this.map.setView(this.latLng(...HAIDIAN), 11);
    this.points = L.layerGroup().addTo(this.map);
    this.ready = this.streets();
    if (element.dataset.pin) this.follow(document.getElementById(element.dataset.pin));
    else if (lon) this.mark(Number(lon), Number(lat));
    if (element.dataset.points) this.show(JSON.parse(element.dataset.points));
  }

  latLng(lon, lat) {
    const [x, y] = this.there(lon, lat);
    return [y, x];
  }

  look(lon, lat, zoom = this.map.getZoom() || 15) {
    this.map.setView(this.latLng(lon, lat), zoom, { animate: false });
  }

  async streets() {
    const answer = await fetch("/api/v1/map/streets").catch(() => null);
    if (!answer || !answer.ok) return;
    const features = await answer.json();
    this.borders = this.L.geoJSON(features, {
      coordsToLatLng: ([lon, lat]) => this.L.latLng(...this.latLng(lon, lat)),
      style: { color: "#4a5565", weight: 1.5, fillColor: "#0b5cad", fillOpacity: 0.04, dashArray: "4 3" },
      interactive: false,
    }).addTo(this.map);
    for (const layer of this.borders.getLayers()) {
      layer.bindTooltip(layer.feature.properties.name, { permanent: true, direction: "center", className: "street-name" });
    }
    this.named();
    this.map.on("zoomend", () => this.named());
  }

  // Names only where there is room for them.
  named() {
    this.element.classList.toggle("no-names", this.map.getZoom() < 12);
  }

  icon(kind) {
    return this.L.divIcon({ className: `dot ${kind}`, iconSize: [28, 28], iconAnchor: [14, 14] });
  }

  mark(lon, lat, kind = "here", alt = "案件位置") {
    return this.L.marker(this.latLng(lon, lat), { icon: this.icon(kind), alt, keyboard: false }).addTo(this.points);
  }

  /** A pin that writes place.lon, place.lat and place.crs of a form, and follows a tap. */
  follow(form) {
    this.form = form;
    const at = this.map.getCenter();
    this.pin = this.L.marker(at, { icon: this.icon("pin"), draggable: true, alt: "可以拖动的图钉", title: "拖动或点地图改正位置" }).addTo(this.map);
    this.pin.on("dragend", () => this.told(true));
    this.map.on("click", (event) => {
      this.pin.setLatLng(event.latlng);
      this.told(true);
    });
    // By keyboard: the arrow keys move the map, Enter puts the pin in its middle.
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== this.element) return;
      event.preventDefault();
      this.pin.setLatLng(this.map.getCenter());
      this.told(true);
    });
  }

  /** Put the pin at a position in WGS-84 and look there; `by hand` is false for the device's. */
  put(lon, lat, zoom = 17) {
    this.look(lon, lat, zoom);
    this.pin?.setLatLng(this.latLng(lon, lat));
    this.told(false);
  }

  told(byHand) {
    const { lng, lat } = this.pin.getLatLng();
    const [x, y] = this.back(lng, lat);
    const write = (name, value) => {
      const input = this.form?.querySelector(`[name="place.${name}"]`);
      if (input) input.value = value;
    };
    write("lon", x.toFixed(6));
    write("lat", y.toFixed(6));
    write("crs", "wgs84");
    this.element.dispatchEvent(new CustomEvent("pinned", { bubbles: true, detail: { lon: x, lat: y, byHand } }));
  }

  /** Points: lon, lat, name, url, kind (late, near, here). */
  show(points) {
    this.shown?.remove();
    this.shown = this.L.layerGroup().addTo(this.map);
    for (const point of points) {
      const marker = this.L.marker(this.latLng(point.lon, point.lat), {
        icon: this.icon(point.kind || "near"), alt: point.name, title: point.name, keyboard: false, // a list beside the map has them all
      });
      if (point.url) marker.on("click", () => location.assign(point.url));
      marker.addTo(this.shown);
    }
  }

  /** Colour the 街镇 by a number: `levels` maps a code to 0 … 1; `says` to the words of its hint. */
  async colour(levels, says = {}) {
    await this.ready;
    for (const layer of this.borders?.getLayers() || []) {
      const { code, name } = layer.feature.properties;
      const level = levels[code];
      layer.setStyle(level === undefined ? { fillOpacity: 0.04 } : { fillOpacity: 0.1 + 0.75 * level });
      layer.setTooltipContent(says[code] || name);
    }
  }
}

// Maps that need nothing else open themselves when they come in sight.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    open(entry.target).then((own) => own && entry.target.dispatchEvent(new CustomEvent("opened", { detail: own })));
  }
});
for (const element of document.querySelectorAll("[data-map]")) seen.observe(element);
