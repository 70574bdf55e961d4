// Reads WXML and draws it with a page's data: enough of the language for our pages, and strict.
// What a page uses and this does not know is an error, so that nothing passes unseen.
'use strict';

const TAG = /<(\/?)([a-z][a-z-]*)((?:\s+[a-z][a-z:-]*="[^"]*")*)\s*(\/?)>|<!--[\s\S]*?-->/g;
const KNOWN = new Set(['page-meta', 'view', 'button', 'input', 'image', 'block', 'web-view']);

/** The tree of a template. Throws where a tag is unknown, malformed or not closed. */
function parse(text) {
  const root = { tag: 'root', attributes: {}, children: [] };
  const open = [root];
  let at = 0;
  for (const found of text.matchAll(TAG)) {
    words(text.slice(at, found.index), open[open.length - 1]);
    at = found.index + found[0].length;
    const [, closing, tag, attributes, selfClosing] = found;
    if (!tag) continue;
    if (!KNOWN.has(tag)) throw new Error(`unknown component <${tag}>`);
    if (closing) {
      const last = open.pop();
      if (last.tag !== tag) throw new Error(`</${tag}> closes <${last.tag}>`);
      continue;
    }
    const node = { tag, attributes: {}, children: [] };
    for (const [, name, value] of attributes.matchAll(/([a-z][a-z:-]*)="([^"]*)"/g)) {
      node.attributes[name] = value;
    }
    open[open.length - 1].children.push(node);
    if (!selfClosing) open.push(node);
  }
  words(text.slice(at), open[open.length - 1]);
  if (open.length > 1) throw new Error(`<${open[open.length - 1].tag}> is never closed`);
  return root;
}

function words(text, parent) {
  if (/[<>]/.test(text)) throw new Error(`not a tag: ${text.trim()}`);
  if (text.trim()) parent.children.push({ text: text.trim() });
}

/** The value of an attribute or text: what stands in {{ }} is computed, by the data alone. */
function valueOf(text, data) {
  const whole = /^\{\{([^{}]*)\}\}$/.exec(text);
  if (whole) return computed(whole[1], data);
  return text.replace(/\{\{([^{}]*)\}\}/g, (_, inner) => String(computed(inner, data)));
}

function computed(expression, data) {
  return new Function('data', `with (data) { return (${expression}); }`)(data);
}

/** The elements as drawn: a list of { tag, attributes, children } and { text }. */
function draw(node, data) {
  const drawn = [];
  let before = null; // whether one of the chain of wx:if, wx:elif was drawn
  for (const child of node.children) {
    if (child.text !== undefined) {
      drawn.push({ text: String(valueOf(child.text, data)) });
      continue;
    }
    const has = (name) => child.attributes[name] !== undefined;
    let wanted = true;
    if (has('wx:if')) before = wanted = Boolean(valueOf(child.attributes['wx:if'], data));
    else if (has('wx:elif')) {
      if (before === null) throw new Error('wx:elif without wx:if');
      wanted = !before && Boolean(valueOf(child.attributes['wx:elif'], data));
      before = before || wanted;
    } else if (has('wx:else')) {
      if (before === null) throw new Error('wx:else without wx:if');
      wanted = !before;
      before = null;
    } else before = null;
    if (wanted) drawn.push(...repeated(child, data));
  }
  return drawn;
}

function repeated(node, data) {
  const list = node.attributes['wx:for'];
  if (list === undefined) return [element(node, data)].flat();
  const name = node.attributes['wx:for-item'] || 'item';
  if (node.attributes['wx:key'] === undefined) throw new Error('wx:for without wx:key');
  return valueOf(list, data).flatMap((item, index) =>
    element(node, Object.assign({}, data, { [name]: item, index })),
  );
}

function element(node, data) {
  const children = draw(node, data);
  if (node.tag === 'block') return children;
  const attributes = {};
  for (const [name, value] of Object.entries(node.attributes)) {
    if (!name.startsWith('wx:')) attributes[name] = valueOf(value, data);
  }
  return [{ tag: node.tag, attributes, children }];
}

/** Every element of what was drawn, from outside to inside. */
function* every(drawn) {
  for (const node of drawn) {
    if (node.text !== undefined) continue;
    yield node;
    yield* every(node.children);
  }
}

/** What can be read in it. */
function textOf(drawn) {
  return drawn
    .map((node) => (node.text !== undefined ? node.text : textOf(node.children)))
    .filter(Boolean)
    .join('\n');
}

module.exports = { parse, draw, every, textOf };
