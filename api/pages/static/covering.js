// Rectangles on a photo are drawn by mouse, pen or finger. The numbers in the form stay what is
// sent: this writes them, and shows what stands in them. Without it they are written by hand.

const HANDLE = 14; // CSS pixels around the lower right corner that change the size
const LEAST = 4; // CSS pixels of a drag that is meant

const form = document.querySelector("[data-covering]");
if (form) begin(form);

function begin(form) {
  const stage = form.querySelector("[data-stage]");
  const marks = form.querySelector("[data-marks]");
  const list = form.querySelector("[data-boxes]");
  const rows = form.querySelector("[data-rows]");
  const draw = form.querySelector("[data-draw]");
  const says = form.querySelector("[data-says]");
  const part = (box, name) => box.querySelector(`[data-part=${name}]`);
  const keeps = (box) => box.querySelector("[name^='keep.']");
  const boxes = () => [...list.querySelectorAll("[data-box]")];
  const written = (box) => ["left", "top", "width", "height"].some((name) => part(box, name).value.trim());
  let chosen = null;
  let zoom = 1;

  form.querySelector("[data-tools]").hidden = false;
  setDrawing(true);

  // what stands in the form ---------------------------------------------------------------

  const value = (box, name) => Number(part(box, name).value.trim().replace("%", "") || NaN);
  function read(box) {
    const found = { left: value(box, "left"), top: value(box, "top"), width: value(box, "width"), height: value(box, "height") };
    return Object.values(found).every(Number.isFinite) ? found : null;
  }
  const round = (number) => String(Math.round(number * 100) / 100);
  function write(box, { left, top, width, height }) {
    // Edges are rounded, not sizes, so that left and width never reach beyond the picture.
    const [x, y] = [Math.round(left * 100), Math.round(top * 100)];
    const [right, bottom] = [Math.round((left + width) * 100), Math.round((top + height) * 100)];
    part(box, "left").value = round(x / 100);
    part(box, "top").value = round(y / 100);
    part(box, "width").value = round((right - x) / 100);
    part(box, "height").value = round((bottom - y) / 100);
    show();
  }
  function show() {
    marks.replaceChildren();
    let spare = null; // one empty row is enough; the others come when they are asked for
    for (const box of boxes()) {
      if (!written(box) && !spare) spare = box;
      box.hidden = !written(box) && box !== spare && box !== chosen && !box.matches(".asked-for");
      box.classList.toggle("chosen", box === chosen);
      const found = keeps(box).checked ? read(box) : null;
      if (!found || found.width <= 0 || found.height <= 0) continue;
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [name, at] of [["x", found.left], ["y", found.top], ["width", found.width], ["height", found.height]])
        mark.setAttribute(name, String(at));
      mark.classList.toggle("chosen", box === chosen);
      marks.append(mark);
    }
  }
  function empty() {
    return boxes().find((box) => !written(box)) || another();
  }
  function another() {
    const all = boxes();
    if (all.length >= 200) return null;
    const box = all[0].cloneNode(true);
    const number = all.length;
    for (const field of box.querySelectorAll("[name]")) {
      const name = field.name.split(".")[0];
      field.name = `${name}.${number}`;
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
      if (field.dataset.part) {
        field.value = "";
        box.querySelector(`label[for="${field.id}"]`).htmlFor = `redact-${name}-${number}`;
        field.id = `redact-${name}-${number}`;
      }
    }
    box.classList.remove("asked-for");
    box.querySelector("[name^='what.']").value = "by_hand";
    box.querySelector("[name^='score.']").value = "1";
    keeps(box).checked = true;
    for (const gone of box.querySelectorAll(".tag, .wrong")) gone.remove();
    box.querySelector("[data-box-number]").textContent = String(number + 1);
    list.append(box);
    rows.value = String(number + 1);
    return box;
  }
  list.addEventListener("input", show);
  list.addEventListener("focusin", (event) => {
    chosen = event.target.closest("[data-box]");
    show();
  });
  form.querySelector("[data-more]").addEventListener("click", (event) => {
    event.preventDefault();
    const box = boxes().find((one) => one.hidden) || another();
    if (!box) return;
    box.classList.add("asked-for");
    box.hidden = false;
    part(box, "left").focus();
  });

  // drawing -------------------------------------------------------------------------------

  function setDrawing(on) {
    draw.setAttribute("aria-pressed", String(on));
    draw.textContent = on ? "画框：开" : "画框：关（可滑动照片）";
    stage.classList.toggle("drawing", on);
  }
  draw.addEventListener("click", () => setDrawing(draw.getAttribute("aria-pressed") !== "true"));

  const at = (event) => {
    const edge = stage.getBoundingClientRect();
    const limit = (number) => Math.min(100, Math.max(0, number));
    return {
      x: limit(((event.clientX - edge.left) / edge.width) * 100),
      y: limit(((event.clientY - edge.top) / edge.height) * 100),
      px: 100 / edge.width, py: 100 / edge.height, // a CSS pixel in percent
    };
  };
  // The topmost rectangle under the point, and whether the corner that changes its size.
  function hit(point) {
    for (const box of boxes().reverse()) {
      const found = keeps(box).checked ? read(box) : null;
      if (!found) continue;
      const right = found.left + found.width, bottom = found.top + found.height;
      const near = Math.abs(point.x - right) <= HANDLE * point.px && Math.abs(point.y - bottom) <= HANDLE * point.py;
      if (near) return { box, found, resize: true };
      if (point.x >= found.left && point.x <= right && point.y >= found.top && point.y <= bottom)
        return { box, found, resize: false };
    }
    return null;
  }
  const spanned = (a, b) => ({
    left: Math.min(a.x, b.x), top: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y),
  });

  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    if (draw.getAttribute("aria-pressed") !== "true" || event.button !== 0 || drag) return;
    event.preventDefault();
    const point = at(event);
    drag = { id: event.pointerId, from: point, hit: hit(point), box: null };
    stage.setPointerCapture(event.pointerId);
    if (drag.hit) {
      chosen = drag.hit.box;
      show();
    }
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag || drag.id !== event.pointerId) return;
    const point = at(event);
    const moved = Math.abs(point.x - drag.from.x) > LEAST * point.px || Math.abs(point.y - drag.from.y) > LEAST * point.py;
    if (!drag.box && !moved) return;
    if (drag.hit) {
      const { box, found, resize } = drag.hit;
      drag.box = box;
      if (resize) {
        write(box, spanned({ x: found.left, y: found.top }, point));
      } else {
        const left = Math.min(100 - found.width, Math.max(0, found.left + point.x - drag.from.x));
        const top = Math.min(100 - found.height, Math.max(0, found.top + point.y - drag.from.y));
        write(box, { ...found, left, top });
      }
    } else {
      drag.box = drag.box || empty();
      if (!drag.box) {
        says.textContent = "一张照片最多遮盖200处。";
        return;
      }
      chosen = drag.box;
      keeps(drag.box).checked = true;
      write(drag.box, spanned(drag.from, point));
    }
  });
  const end = (event) => {
    if (!drag || drag.id !== event.pointerId) return;
    if (drag.box) {
      const number = boxes().indexOf(drag.box) + 1;
      says.textContent = `第${number}处已${drag.hit ? "改动" : "画好"}。不要的，在右侧或下方去掉“遮盖这一处”。`;
    }
    drag = null;
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);

  // looking closely -----------------------------------------------------------------------

  for (const button of form.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      zoom = Math.min(4, Math.max(1, zoom + Number(button.dataset.zoom)));
      stage.classList.remove("zoom-2", "zoom-3", "zoom-4");
      if (zoom > 1) stage.classList.add(`zoom-${zoom}`);
      says.textContent = `放大${zoom}倍${zoom > 1 ? "：滚动看别处，手机上先关掉画框再滑动" : ""}。`;
    });
  }
  show();
}
