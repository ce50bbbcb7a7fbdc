// What people do, sent to the simulator: the same acts that tests and tools use.

import { $, me, toast } from "./dom.js";
import { entries } from "./forms.js";
import { refresh } from "./live.js";

/** Does something on the server that the page shows; a path from the root is meant as it stands. */
export async function act(path, body) {
  const address = path.startsWith("/") ? path : document.body.dataset.acts + path;
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error ?? `The simulator answered ${answer.status}.`);
  return json;
}

/** Does something for an element that shows that it is busy meanwhile; what goes wrong is told. */
export async function busy(element, work) {
  if (element?.getAttribute("aria-busy") === "true") return undefined;
  element?.setAttribute("aria-busy", "true");
  try {
    return await work();
  } catch (error) {
    toast(error.message, true);
    return undefined;
  } finally {
    element?.removeAttribute("aria-busy");
    refresh();
  }
}

/** Asks before an act, in the words of the app. */
export function ask(confirm) {
  const dialog = $("#confirm");
  const part = (name) => confirm[name]?.text ?? "";
  dialog.replaceChildren();
  const form = document.createElement("form");
  form.method = "dialog";
  const title = Object.assign(document.createElement("h2"), { id: "confirm-title", textContent: part("title") });
  const text = Object.assign(document.createElement("p"), { textContent: part("text") });
  const footer = document.createElement("footer");
  const no = Object.assign(document.createElement("button"), { value: "no", textContent: part("deny") || "Cancel" });
  const yes = Object.assign(document.createElement("button"), { value: "yes", textContent: part("confirm") || "Yes" });
  yes.className = confirm.style === "danger" ? "danger solid" : "primary";
  footer.append(no, yes);
  form.append(title, text, footer);
  dialog.append(form);
  return new Promise((resolve) => {
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    yes.focus();
  });
}

export const surfaceOf = (element) => JSON.parse(element.closest("[data-surface]").dataset.surface);

export async function press(element, action, block, value) {
  const surface = surfaceOf(element);
  const asked = element.closest("[data-confirm]")?.dataset.confirm;
  if (asked && !(await ask(JSON.parse(asked)))) return;
  await busy(element, async () => {
    const form = element.closest("form[data-view]");
    if (form) await act("fill", { person: me, view: form.dataset.view, entries: entries(form) });
    await act("press", { person: me, on: surface, block_id: block, action_id: action, value });
  });
}
