// A pin on our own map of the 街镇: tapped, dragged, or moved by the arrow keys. No picture of
// anybody else's map is needed; degrees are WGS-84.

const CENTRE = [39.965, 116.28]; // of the district
const STEP = 0.0001; // degrees an arrow key moves the pin: ten metres
const FINGER = 8; // pixels by which a finger misses

export async function begin(box, at, moved) {
  await library(box.dataset.script, box.dataset.sheet);
  const map = window.L.map(box, { attributionControl: false, zoomControl: true, maxZoom: 18, minZoom: 10 });
  box.hidden = false;
  map.setView(at ? [at.lat, at.lon] : CENTRE, at ? 15 : 11);
  const pin = new Pin(map, box, moved);
  if (at) pin.put(at.lat, at.lon);
  map.on("click", (event) => pin.moved(event.latlng));
  streets(map, box);
  return pin;
}

class Pin {
  constructor(map, box, moved) {
    this.map = map;
    this.box = box;
    this.tell = moved;
  }

  put(lat, lon) {
    if (!this.marker) {
      const icon = window.L.divIcon({ className: "pin-mark", iconSize: [60, 60], iconAnchor: [30, 30] });
      const marker = window.L.marker([lat, lon], { icon, draggable: true, title: "问题所在的位置，可拖动，也可用方向键移动" });
      this.marker = marker.addTo(this.map);
      marker.on("dragend", () => this.moved(marker.getLatLng()));
      marker.getElement().addEventListener("keydown", (event) => this.key(event));
      marker.getElement().setAttribute("aria-label", "问题所在的位置，可用方向键移动");
    }
    this.marker.setLatLng([lat, lon]);
  }

  show(lat, lon) {
    this.put(lat, lon);
    this.map.setView([lat, lon], Math.max(this.map.getZoom(), 15), { animate: false });
  }

  moved(latlng) {
    this.put(latlng.lat, latlng.lng);
    const metres = (40_075_016 * Math.cos((latlng.lat * Math.PI) / 180)) / 2 ** (this.map.getZoom() + 8);
    this.tell(latlng.lng, latlng.lat, Math.max(5, Math.round(FINGER * metres)));
  }

  key(event) {
    const way = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const { lat, lng } = this.marker.getLatLng();
    this.moved({ lat: lat + way[0] * STEP, lng: lng + way[1] * STEP });
  }
}

async function streets(map, box) {
  try {
    const layer = await (await fetch("/api/v1/map/streets")).json();
    const colour = getComputedStyle(box).getPropertyValue("--accent");
    window.L.geoJSON(layer, {
      interactive: false,
      style: { color: colour, weight: 1.5, fillOpacity: 0.04 },
      onEachFeature: (one, drawn) => drawn.bindTooltip(one.properties.name, {
        permanent: true, direction: "center", className: "name", interactive: false,
      }),
    }).addTo(map);
    box.dataset.drawn = "yes";
  } catch { /* the pin is there without the borders */ }
}

function library(script, style) {
  if (window.L) return Promise.resolve();
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = style;
  const code = document.createElement("script");
  code.src = script;
  const both = [sheet, code].map((element) => new Promise((done, failed) => {
    element.onload = done;
    element.onerror = failed;
  }));
  document.head.append(sheet, code);
  return Promise.all(both);
}
