// Discord's commands: what could follow is asked of the simulator, which asks the app where it has to.

import { act } from "./acts.js";
import { $, me } from "./dom.js";
import { listOf, mark } from "./search.js";

/** While nobody types for so long, what could follow is asked for. */
const PAUSE_MS = 120;
const turns = new WeakMap();

/** Whether what stands in a composer is a command of the server that the page shows. */
export const hasCommands = (area) => document.body.classList.contains("discord") && area.value.startsWith("/");

export function suggest(area) {
  const turn = (turns.get(area) ?? 0) + 1;
  turns.set(area, turn);
  area.dataset.ready = "";
  setTimeout(async () => {
    if (turns.get(area) !== turn) return;
    const text = area.value;
    const found = await act("complete", { person: me, channel: area.closest("form").dataset.in, text }).catch(() => null);
    if (!found || turns.get(area) !== turn || area.value !== text) return;
    area.dataset.ready = found.ready ? "yes" : "";
    show(area, found.suggestions);
  }, PAUSE_MS);
}

function show(area, suggestions) {
  const list = listOf(area);
  list.replaceChildren(
    ...suggestions.map((own, at) => {
      const line = document.createElement("li");
      line.id = `${list.id}-${at}`;
      line.setAttribute("role", "option");
      line.dataset.whole = own.text;
      line.dataset.kind = own.kind;
      const name = Object.assign(document.createElement("b"), { textContent: own.name });
      const about = Object.assign(document.createElement("small"), { textContent: own.about });
      line.append(name, " ", about);
      return line;
    }),
  );
  const shown = suggestions.length > 0 && document.activeElement === area;
  list.hidden = !shown;
  mark(area, shown ? list.firstChild : null);
  if (!shown) area.removeAttribute("aria-activedescendant");
}

export function takeCommand(area, line) {
  area.value = line.dataset.whole;
  area.selectionStart = area.selectionEnd = area.value.length;
  area.focus();
  suggest(area);
}

/** What Enter takes: a suggestion that isn't typed yet, unless all that is needed stands there already. */
export function commandKey(area) {
  const list = listOf(area);
  const line = list.hidden ? null : ($('[aria-selected="true"]', list) ?? list.firstChild);
  if (!line || line.dataset.whole.trim() === area.value.trim()) return null;
  const enough = area.dataset.ready === "yes" && line.dataset.kind === "option";
  return enough ? null : line;
}
