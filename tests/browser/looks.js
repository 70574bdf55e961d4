// What a page looks like, asked of the browser itself. An expression: a table of functions.
(() => {
  const CONTROLS =
    "a[href], area[href], button, input:not([type=hidden]), select, textarea, summary, " +
    "[role=button], [role=link], [role=checkbox], [role=radio], [role=switch], [role=tab], " +
    "[tabindex]:not([tabindex='-1'])";
  const root = () => document.documentElement;

  const name = (el) => {
    const words = (el.getAttribute("aria-label") || el.innerText || el.value || el.placeholder ||
      el.getAttribute("alt") || "").trim().replace(/\s+/g, " ").slice(0, 20);
    const id = el.id ? `#${el.id}` : el.getAttribute("name") ? `[name=${el.getAttribute("name")}]` : "";
    const classes = typeof el.className === "string" && el.className.trim()
      ? "." + el.className.trim().split(/\s+/).slice(0, 2).join(".") : "";
    return `<${el.tagName.toLowerCase()}${id || classes}>` + (words ? `「${words}」` : "");
  };
  const seen = (el) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  // Taken out of sight until it has the focus, or for screen readers only.
  const aside = (box) => box.right <= 0 || box.bottom + scrollY <= 0 || (box.width <= 1.5 && box.height <= 1.5);
  const labels = (el) => [...(el.labels || [])].filter(seen);
  const off = (el) => el.matches(":disabled, [aria-disabled=true]") || el.closest("[inert]");
  const controls = () => [...document.querySelectorAll(CONTROLS)].filter((el) => !off(el));
  const bounds = (boxes) => ({
    left: Math.min(...boxes.map((b) => b.left)), top: Math.min(...boxes.map((b) => b.top)),
    right: Math.max(...boxes.map((b) => b.right)), bottom: Math.max(...boxes.map((b) => b.bottom)),
  });
  // Where one may press: the control, and for a box, a circle or a file its words too.
  const pressed = (el) => {
    const boxes = seen(el) && !aside(el.getBoundingClientRect()) ? [el.getBoundingClientRect()] : [];
    if (el.matches("[type=checkbox], [type=radio], [type=file]"))
      boxes.push(...labels(el).map((label) => label.getBoundingClientRect()));
    return boxes.length ? bounds(boxes) : null;
  };
  // A link among words of its paragraph: a line is as high as it is.
  const inText = (el) => {
    if (el.tagName !== "A" || getComputedStyle(el).display !== "inline") return false;
    let block = el.parentElement;
    while (block && getComputedStyle(block).display === "inline") block = block.parentElement;
    return block !== null && block.innerText.trim().length > el.innerText.trim().length;
  };
  const texts = function* () {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const el = node.parentElement;
      if (!node.data.trim() || el.closest("script, style, noscript, template, option")) continue;
      if (!seen(el)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const boxes = [...range.getClientRects()].filter((b) => b.width > 0 && b.height > 0);
      if (boxes.length && !aside(bounds(boxes))) yield [el, bounds(boxes), node.data.trim().slice(0, 20)];
    }
  };

  const words = () => {
    const found = [];
    const headings = [...document.querySelectorAll("h1")].filter(seen);
    if (headings.length !== 1) found.push(`${headings.length} h1 instead of one`);
    if (root().lang !== "zh-CN") found.push(`lang is "${root().lang}"`);
    if (!document.title.trim()) found.push("no title");
    const ids = [...document.querySelectorAll("[id]")].map((el) => el.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) found.push(`id ${id} twice`);
    for (const el of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
      if (seen(el) && !el.matches("[type=submit], [type=button], [type=reset], [type=image]") &&
          !labels(el).length && !el.getAttribute("aria-label") && !el.getAttribute("aria-labelledby"))
        found.push(`${name(el)} has no label that is seen`);
    return found;
  };

  const sideways = () => {
    const width = root().clientWidth;
    if (document.scrollingElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll("*")].filter((el) => {
      if (el.getBoundingClientRect().right <= width + 1) return false;
      for (let up = el.parentElement; up && up !== document.body; up = up.parentElement)
        if (getComputedStyle(up).overflowX !== "visible") return false;
      return true;
    });
    const which = wide.filter((el) => !wide.some((other) => other !== el && el.contains(other)));
    return [`scrolls sideways: ${document.scrollingElement.scrollWidth} px in ${width}, by ` +
      (which.slice(0, 3).map(name).join(", ") || "a margin")];
  };

  const small = (least) => controls().flatMap((el) => {
    const box = pressed(el);
    if (!box || inText(el)) return [];
    const [wide, high] = [box.right - box.left, box.bottom - box.top];
    return wide >= least - 0.5 && high >= least - 0.5 ? []
      : [`${name(el)} is ${wide.toFixed(0)}×${high.toFixed(0)} px to press, not ${least}`];
  });

  const clipped = () => {
    const found = [];
    for (const [el, box, said] of texts()) {
      const control = el.closest("button, a[href], summary, label");
      const edges = control && !inText(control) && getComputedStyle(control).display !== "inline" ? [control] : [];
      for (let up = el; up && up !== root() && up !== document.body; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (up.matches(".leaflet-container")) { edges.length = 0; break; }
        if (/auto|scroll/.test(style.overflowX + style.overflowY)) break;
        if (/hidden|clip/.test(style.overflowX + style.overflowY)) edges.push(up);
      }
      if (edges.some((up) => aside(up.getBoundingClientRect()))) continue;
      for (const up of edges) {
        const edge = up.getBoundingClientRect();
        if (box.left < edge.left - 2 || box.right > edge.right + 2 ||
            box.top < edge.top - 6 || box.bottom > edge.bottom + 6) {
          found.push(`「${said}」 runs out of ${name(up)}`);
          break;
        }
      }
    }
    return found;
  };

  const covered = () => {
    const at = [scrollX, scrollY];
    const found = [];
    for (const el of controls()) {
      if (!pressed(el)) continue;
      const shown = aside(el.getBoundingClientRect()) || !seen(el) ? labels(el)[0] : el;
      shown.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
      const box = shown.getClientRects()[0];
      const hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
      if (!hit) found.push(`${name(el)} cannot be scrolled into view`);
      else if (!shown.contains(hit) && !labels(el).some((label) => label.contains(hit)))
        found.push(`${name(el)} is covered by ${name(hit)}`);
    }
    scrollTo({ left: at[0], top: at[1], behavior: "instant" });
    return found;
  };

  const tiny = (least) => {
    const found = new Set();
    for (const [el, , said] of texts()) {
      const size = parseFloat(getComputedStyle(el).fontSize);
      if (size < least - 0.05) found.add(`「${said}」 in ${name(el).replace(/「.*/, "")} has ${size} px, not ${least}`);
    }
    return [...found];
  };

  // Tab by Tab. A group of radio buttons is one stop.
  let stops = [];
  const start = () => {
    const groups = new Set();
    // From the top, wherever one was: from a page's last field Tab would leave the page at once.
    document.body.tabIndex = -1;
    document.body.focus({ preventScroll: true });
    document.body.removeAttribute("tabindex");
    document.activeElement?.blur();
    // From the top, wherever the page has put its reader.
    document.body.tabIndex = -1;
    document.body.focus({ preventScroll: true });
    document.body.blur();
    document.body.removeAttribute("tabindex");
    stops = controls().filter((el) => {
      if (el.tabIndex < 0 || !el.checkVisibility({ visibilityProperty: true })) return false;
      if (el.tagName === "SUMMARY" && el.parentElement.querySelector("summary") !== el) return false;
      if (el.type !== "radio" || !el.name) return true;
      const group = `${el.form?.id} ${el.name}`;
      return !groups.has(group) && groups.add(group);
    });
    return stops.map(name);
  };
  const stop = () => {
    const el = document.activeElement;
    if (!el || el === document.body || el === root()) return null;
    const same = (one) => one === el || (el.type === "radio" && one.type === "radio" &&
      one.name === el.name && one.form === el.form);
    const rings = [el, ...(el.labels || [])].map((one) => [getComputedStyle(one), one]);
    const ring = rings.some(([style, one]) =>
      (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none");
    const box = (aside(el.getBoundingClientRect()) ? labels(el)[0] || el : el).getBoundingClientRect();
    const inView = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight &&
      box.width > 1.5;
    return { at: stops.findIndex(same), name: name(el), ring, inView };
  };

  return { words, sideways, small, clipped, covered, tiny, start, stop, elder: () => root().classList.contains("elder") };
})()
