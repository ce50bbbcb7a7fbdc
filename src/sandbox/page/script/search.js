// Searches in long or distant lists of options: a text input with a list, by pointer and by keyboard.

import { act, surfaceOf } from "./acts.js";
import { $$, me, toast } from "./dom.js";

const searches = new WeakMap();

export const listOf = (input) => document.getElementById(input.getAttribute("aria-controls"));

export function showOptions(input, shown) {
  const list = listOf(input);
  list.hidden = !shown;
  input.setAttribute("aria-expanded", String(shown));
  if (!shown) input.removeAttribute("aria-activedescendant");
}

export function mark(input, option) {
  for (const other of $$("[role=option]", listOf(input))) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }
}

const visible = (input) => $$("[role=option]:not([hidden])", listOf(input));
const marked = (input) => visible(input).find((option) => option.getAttribute("aria-selected") === "true");

/** A search that waits for more to be typed is over: it would forget what was chosen meanwhile. */
function settled(input) {
  clearTimeout(input.waiting);
  input.waiting = undefined;
}

export function choose(input, option) {
  settled(input);
  input.value = option.textContent;
  input.dataset.value = option.dataset.value;
  showOptions(input, false);
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

export async function search(input) {
  settled(input);
  const list = listOf(input);
  const box = input.closest(".search");
  const typed = input.value.trim();
  input.dataset.value = "";
  if (!("external" in box.dataset)) {
    for (const option of $$("[role=option]", list))
      option.hidden = !option.textContent.toLowerCase().includes(typed.toLowerCase());
    showOptions(input, true);
    mark(input, visible(input)[0]);
    return;
  }
  if (typed.length < Number(box.dataset.least)) {
    showOptions(input, false);
    return;
  }
  const turn = (searches.get(input) ?? 0) + 1;
  searches.set(input, turn);
  const field = input.closest("[data-input]");
  try {
    const found = await act("options", {
      person: me,
      on: surfaceOf(input),
      action_id: field.dataset.action,
      query: typed,
    });
    if (searches.get(input) !== turn) return;
    const options = [...(found.options ?? []), ...(found.option_groups ?? []).flatMap((group) => group.options)];
    list.replaceChildren(
      ...options.map((option, at) => {
        const line = document.createElement("li");
        line.id = `${list.id}-${at}`;
        line.setAttribute("role", "option");
        line.dataset.value = option.value;
        line.textContent = option.text.text;
        return line;
      }),
    );
    if (options.length === 0) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "Nothing found";
      list.append(none);
    }
    showOptions(input, true);
    mark(input, visible(input)[0]);
  } catch (error) {
    toast(error.message, true);
  }
}

export function searchKey(event, input) {
  // Who types and presses Enter at once means what is typed by then, not what was found before.
  if (event.key === "Enter" && input.waiting && !("external" in input.closest(".search").dataset)) search(input);
  const open = input.getAttribute("aria-expanded") === "true";
  const options = visible(input);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (!open) {
      showOptions(input, options.length > 0);
      mark(input, options[0]);
      return;
    }
    const step = event.key === "ArrowDown" ? 1 : -1;
    const at = options.indexOf(marked(input));
    mark(input, options[(at + step + options.length) % options.length]);
  } else if (event.key === "Enter" && open && marked(input)) {
    event.preventDefault();
    choose(input, marked(input));
  } else if (event.key === "Escape" && open) {
    event.preventDefault();
    event.stopPropagation();
    showOptions(input, false);
  }
}
