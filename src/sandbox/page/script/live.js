// Going places and keeping up to date: the address says what is looked at, the server draws all of it, and only what
// differs is changed. The server says when to look again.

import { draftKey, grow } from "./composer.js";
import { $, $$, me, toast } from "./dom.js";
import { firstField } from "./forms.js";
import { morph } from "./morph.js";
import { tellTime } from "./time.js";
import { markUnread } from "./unread.js";

let fetching = null;
let again = false;

/** Draws the page anew from the server; calls that come while one is under way become one more. */
export function refresh() {
  if (fetching) {
    again = true;
    return fetching;
  }
  const address = location.href;
  fetching = fetch(address, { headers: { accept: "text/html" } })
    .then((answer) => answer.text())
    .then((html) => {
      if (location.href === address) redraw(new DOMParser().parseFromString(html, "text/html"));
      else again = true;
    })
    .catch(() => {})
    .finally(() => {
      fetching = null;
      if (again) {
        again = false;
        refresh();
      }
    });
  return fetching;
}

export async function go(href, push = true) {
  if (push) history.pushState(null, "", href);
  closeMenu();
  again = fetching !== null;
  await refresh();
  while (fetching) await fetching;
}

function redraw(fresh) {
  if (fresh.body.dataset.me !== me) return;
  const logs = $$("[data-scroll]").map((log) => ({
    key: log.dataset.scroll,
    end: log.scrollHeight - log.scrollTop - log.clientHeight < 60,
  }));
  morph(document.body, fresh.body);
  document.body.classList.toggle("menu-open", $("#menu").getAttribute("aria-expanded") === "true");
  settle();
  for (const log of $$("[data-scroll]")) {
    const before = logs.find((own) => own.key === log.dataset.scroll);
    if (!log.dataset.scroll.startsWith("behind") && (!before || before.end)) log.scrollTop = log.scrollHeight;
    else if (!before) log.scrollTop = 0;
  }
}

export function closeMenu() {
  document.body.classList.remove("menu-open");
  $("#menu").setAttribute("aria-expanded", "false");
}

/** Everything that follows from what is drawn now. */
export function settle() {
  tellTime();
  const modal = $("#modal");
  const form = $("form", modal);
  if (form && !modal.open) {
    modal.showModal();
    firstField(form)?.focus();
  } else if (form && modal.dataset.shown !== form.dataset.view) {
    firstField(form)?.focus();
  } else if (!form && modal.open) {
    modal.close();
  }
  modal.dataset.shown = form?.dataset.view ?? "";
  for (const area of $$(".composer textarea")) {
    if (area.dataset.restored) continue;
    area.dataset.restored = "yes";
    area.value = sessionStorage.getItem(draftKey(area)) ?? "";
    grow(area);
  }
  markUnread();
}

// A browser keeps six connections to one host, so a tab that nobody looks at gives its own back after a while.
const HIDDEN_FOR_MS = 60_000;
let events = null;
let hidden = 0;

export function listen() {
  events = new EventSource(`/page/events?as=${encodeURIComponent(document.body.dataset.as)}`);
  events.onmessage = ({ data }) => {
    const change = JSON.parse(data);
    if (change.kind === "notice") toast(change.text, true);
    else if (change.kind !== "log" || $("#drawer")) refresh();
    document.body.dataset.live = "yes";
  };
  events.onerror = () => delete document.body.dataset.live;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.visibilityState === "visible") {
    markUnread();
    if (!events) listen();
    return;
  }
  hidden = setTimeout(() => {
    events?.close();
    events = null;
  }, HIDDEN_FOR_MS);
});
