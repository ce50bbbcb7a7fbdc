// Where people write: growing, drafts that survive a reload, completion of commands and mentions.

import { act, busy } from "./acts.js";
import { commandKey, hasCommands, suggest, takeCommand } from "./commands.js";
import { $, $$, me } from "./dom.js";
import { listOf, mark } from "./search.js";

export const grow = (area) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 180)}px`;
};

export async function send(form) {
  const area = $("textarea", form);
  const text = area.value.trim();
  if (!text) return;
  area.value = "";
  grow(area);
  keepDraft(area);
  complete(area);
  const said = await busy($("button", form), () =>
    act("say", { person: me, channel: form.dataset.in, thread_ts: form.dataset.thread ?? null, text }),
  );
  if (said === undefined && area.value === "") area.value = text;
}

/** Suggestions for a command at the beginning, or a mention at the end, of what is typed. */
export function complete(area) {
  if (hasCommands(area)) {
    suggest(area);
    return;
  }
  const list = listOf(area);
  const typed = area.value.slice(0, area.selectionStart);
  const word = /^\/[^\n]*$/.test(typed) ? typed : (/(?:^|\s)(@[\w-]*)$/.exec(typed)?.[1] ?? null);
  const thread = area.closest("form").dataset.thread !== undefined;
  const fitting = word
    ? $$("#completions li").filter(
        (own) =>
          own.dataset.text.startsWith(word) && own.dataset.text !== word.trimEnd() && !(thread && word.startsWith("/")),
      )
    : [];
  list.replaceChildren(
    ...fitting.slice(0, 8).map((own, at) => {
      const line = document.createElement("li");
      line.id = `${list.id}-${at}`;
      line.setAttribute("role", "option");
      line.dataset.text = own.dataset.text;
      line.dataset.word = word;
      const name = Object.assign(document.createElement("b"), { textContent: own.dataset.text });
      const about = Object.assign(document.createElement("small"), { textContent: own.textContent });
      line.append(name, " ", about);
      return line;
    }),
  );
  list.hidden = fitting.length === 0;
  mark(area, fitting.length ? list.firstChild : null);
  if (!fitting.length) area.removeAttribute("aria-activedescendant");
}

export function take(area, line) {
  if (line.dataset.whole !== undefined) {
    takeCommand(area, line);
    keepDraft(area);
    return;
  }
  const before = area.value.slice(0, area.selectionStart);
  const after = area.value.slice(area.selectionStart);
  const start = before.length - line.dataset.word.length;
  area.value = `${before.slice(0, start)}${line.dataset.text} ${after.trimStart()}`;
  area.selectionStart = area.selectionEnd = start + line.dataset.text.length + 1;
  area.focus();
  keepDraft(area);
  complete(area);
}

export function composerKey(event, area) {
  const list = listOf(area);
  if (!list.hidden) {
    const lines = [...list.children];
    const at = lines.findIndex((line) => line.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(area, lines[(at + (event.key === "ArrowDown" ? 1 : -1) + lines.length) % lines.length]);
      return;
    }
    if (event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      take(area, lines[Math.max(at, 0)]);
      return;
    }
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      list.hidden = true;
      return;
    }
  }
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (hasCommands(area)) {
      const line = commandKey(area);
      if (line) take(area, line);
      else send(area.closest("form"));
      return;
    }
    const exact = list.hidden || $$("#completions li").some((own) => own.dataset.text === area.value.trim());
    // A half-typed command is completed; a whole one is sent.
    if (!exact && area.value.startsWith("/")) take(area, $('[aria-selected="true"]', list) ?? list.firstChild);
    else send(area.closest("form"));
  }
}

export const draftKey = (area) => `idp.draft.${me}.${area.id}`;
export const keepDraft = (area) =>
  area.value ? sessionStorage.setItem(draftKey(area), area.value) : sessionStorage.removeItem(draftKey(area));
