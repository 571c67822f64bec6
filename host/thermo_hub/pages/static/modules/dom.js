// Elements without innerHTML: text is text, whatever a wearable calls itself.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. Properties that begin with "on" are listeners; "class", "data-..." and "aria-..." are attributes. */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

/** Replace what a node holds, unless it holds just this text already. */
export function put(node, ...children) {
  if (children.length === 1 && typeof children[0] === "string") {
    if (node.textContent !== children[0]) node.textContent = children[0];
    return node;
  }
  node.replaceChildren(...flat(children));
  return node;
}

/** The same, but what looks as it did is left alone: whoever presses it, or types into it, is not disturbed. */
export function renew(node, ...children) {
  const wanted = flat(children).map((child) => (child instanceof Node ? child : document.createTextNode(child)));
  const same = wanted.length === node.childNodes.length && wanted.every((one, at) => one.isEqualNode(node.childNodes[at]));
  if (!same) node.replaceChildren(...wanted);
  return node;
}

/** A chip: a word on a coloured ground. */
export function chip(text, kind = "", dot = false) {
  return el("span", { class: `chip ${kind}` }, dot ? el("span", { class: "dot", "aria-hidden": "true" }) : null, text);
}

/** A term and what it is, for a list of facts. */
export function fact(term, ...what) {
  return [el("dt", {}, term), el("dd", {}, ...what)];
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  // What is wider than a phone is moved by keys too.
  if (/\bscroll\b/.test(properties.class ?? "")) node.tabIndex = 0;
  node.append(...flat(children));
  return node;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
