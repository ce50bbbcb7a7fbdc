// Makes what is shown like what the server drew, keeping every node that is the same: focus, scroll and half-typed
// text stay where they are.

const sameNode = (one, other) =>
  one.nodeType === other.nodeType &&
  one.nodeName === other.nodeName &&
  (one.id ?? "") === (other.id ?? "") &&
  (one.dataset?.key ?? "") === (other.dataset?.key ?? "");

/** Attributes that people or this script change, and the server doesn't know of. */
const OURS = new Set(["open", "style", "aria-busy", "aria-expanded", "aria-activedescendant", "data-drawn", "data-shown"]);

/** Makes `old` like `fresh`, keeping nodes that are the same. */
export function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute("data-keep")) return;
  if (old.nodeName === "TIME") {
    if (old.dataset.drawn === fresh.outerHTML) return;
    delete old.dataset.drawn;
  }
  for (const { name, value } of [...fresh.attributes])
    if (!OURS.has(name) && old.getAttribute(name) !== value && !isTyped(old, name)) old.setAttribute(name, value);
  for (const { name } of [...old.attributes])
    if (!OURS.has(name) && !fresh.hasAttribute(name) && !isTyped(old, name) && old !== document.body) old.removeAttribute(name);
  if (old.nodeName === "TEXTAREA") return;
  const kept = new Map();
  for (const child of old.childNodes) if (child.id) kept.set(child.id, child);
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const known = child.id ? kept.get(child.id) : null;
    if (known && sameNode(known, child)) {
      if (known === at) at = at.nextSibling;
      else old.insertBefore(known, at);
      morph(known, child);
    } else if (at && !child.id && !at.id && sameNode(at, child)) {
      const next = at.nextSibling;
      morph(at, child);
      at = next;
    } else {
      old.insertBefore(document.importNode(child, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    if (at.id !== "dialog-toasts") at.remove();
    at = next;
  }
}

/** What stands in an input is its person's; the server's view of it is older. */
const isTyped = (element, name) =>
  ["INPUT", "OPTION"].includes(element.nodeName) && ["value", "checked", "selected", "data-value"].includes(name);
