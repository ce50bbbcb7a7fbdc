// What people do with pointer and keyboard, and what follows from it.

import { act, busy, press, surfaceOf } from "./acts.js";
import { complete, composerKey, grow, keepDraft, send, take } from "./composer.js";
import { $, $$, copyText, me, toast } from "./dom.js";
import { closeView, entered, entry, submit } from "./forms.js";
import { closeMenu, go, listen, settle } from "./live.js";
import { choose, listOf, search, searchKey, showOptions } from "./search.js";
import { tellTime } from "./time.js";

/** Follows a link within the page, and leaves the focus where people go on. */
async function follow(link, event) {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const to = link.closest("#sidebar") ? "#channel textarea" : "#side textarea, #side .log";
  const back = location.href;
  await go(link.href);
  if (link.classList.contains("close")) wayBackTo(back)?.focus();
  else $(to)?.focus();
}

/** The link that led to what was closed just now. */
const wayBackTo = (address) => $$("#channel a[data-nav]").find((own) => own.href === address) ?? $("#channel textarea");

function pressed(element) {
  const { press: action, block, choice, value } = element.dataset;
  closeMenuOf(element);
  return press(element, action, block, choice ?? value ?? null);
}

function choosing(option) {
  const input = $("[role=combobox]", option.closest(".search"));
  choose(input, option);
  input.focus();
}

async function copying(button) {
  await copyText($("pre", button.parentElement).textContent);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

function pull(lever) {
  closeMenuOf(lever);
  // The page may be drawn anew before the act is done, with another lever in this one's place.
  const { lever: what, at, told } = lever.dataset;
  return busy(lever, async () => {
    await act(at ?? "levers", JSON.parse(what));
    toast(told);
  });
}

const join = (button) =>
  busy(button, () => act("admin", { invite: { channel: button.dataset.join, who: document.body.dataset.as } }));

const deliverAgain = (button) =>
  busy(button, async () => {
    await act("/sim/redeliver", { id: Number(button.dataset.again) });
    toast("Delivered again; its answer stands in the record.");
  });

const dismiss = (button) => busy(button, () => act("dismiss", { person: me, on: surfaceOf(button) }));

function toggleChannels(button) {
  const open = document.body.classList.toggle("menu-open");
  button.setAttribute("aria-expanded", String(open));
  if (open) $("#sidebar a[aria-current]")?.focus();
}

function closeMenuOf(element) {
  const menu = element.closest("details.menu");
  if (menu) menu.open = false;
}

/** What a click means, by what was clicked. */
const CLICKS = [
  ["a[data-nav]", follow],
  ["[data-press]", pressed],
  [".search [role=option]", choosing],
  [".completion [role=option]", (line) => take($("textarea", line.closest("form")), line)],
  ["[data-close]", (button) => closeView(button.closest("form"))],
  ["[data-copy]", copying],
  ["[data-lever]", pull],
  ["[data-join]", join],
  ["[data-again]", deliverAgain],
  ["[data-dismiss]", dismiss],
  ["#menu", toggleChannels],
];

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  for (const menu of $$("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  if (document.body.classList.contains("menu-open") && !target.closest("#sidebar, #menu, #rail")) closeMenu();
  for (const [selector, run] of CLICKS) {
    const found = target.closest(selector);
    if (found) {
      run(found, event);
      return;
    }
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.closest("#confirm")) return;
  event.preventDefault();
  if (form.matches(".composer")) send(form);
  else if (form.dataset.view) submit(form);
});

document.addEventListener("input", (event) => {
  const input = event.target;
  if (input.matches(".composer textarea")) {
    grow(input);
    keepDraft(input);
    complete(input);
  } else if (input.matches("[role=combobox]")) {
    clearTimeout(input.waiting);
    input.waiting = setTimeout(() => search(input), 120);
  }
});

// Values reach the simulator as they are settled, so that an update from the app finds them.
document.addEventListener("change", async (event) => {
  const field = event.target.closest("[data-input]");
  if (!field) return;
  if ("dispatch" in field.dataset) {
    // One after the other: the last choice is the one that stays.
    field.chosen = (field.chosen ?? Promise.resolve()).then(() => press(field, field.dataset.action, field.dataset.block, entered(field)));
    return;
  }
  const form = field.closest("form[data-view]");
  if (form && entered(field) !== null)
    await act("fill", { person: me, view: form.dataset.view, entries: [entry(field)] }).catch(() => {});
});

document.addEventListener("focusin", (event) => {
  const input = event.target;
  if (input.matches?.("[role=combobox]") && !("external" in input.closest(".search").dataset)) {
    for (const option of $$("[role=option]", listOf(input))) option.hidden = false;
    showOptions(input, true);
  }
});

document.addEventListener("focusout", (event) => {
  const input = event.target;
  if (input.matches?.("[role=combobox]")) setTimeout(() => input.isConnected && document.activeElement !== input && showOptions(input, false), 150);
  if (input.matches?.(".composer textarea"))
    setTimeout(() => {
      if (input.isConnected && document.activeElement !== input) listOf(input).hidden = true;
    }, 150);
});

// An option is chosen by the press of the pointer; without this the input would lose its focus first.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest?.("[role=listbox]")) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (target.matches?.(".composer textarea")) composerKey(event, target);
  else if (target.matches?.("[role=combobox]")) searchKey(event, target);
  if (event.key !== "Escape" || event.defaultPrevented || $("dialog[open]")) return;
  const menu = $("details.menu[open]");
  if (menu) {
    menu.open = false;
    $("summary", menu).focus();
  } else if (document.body.classList.contains("menu-open")) {
    closeMenu();
    $("#menu").focus();
  } else {
    $("#side .close")?.click();
  }
});

// Escape in a form closes it on the simulator, which then closes it here.
$("#modal").addEventListener("cancel", (event) => {
  event.preventDefault();
  const form = $("form", event.currentTarget);
  if (form) closeView(form);
});

addEventListener("popstate", () => go(location.href, false));

// Menus keep the arrow keys to themselves.
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  const items = $$("summary, li button, li a", menu);
  const step = event.key === "ArrowDown" ? 1 : -1;
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
});

setInterval(tellTime, 1000);
listen();
settle();
for (const log of $$("[data-scroll]")) if (!log.dataset.scroll.startsWith("behind")) log.scrollTop = log.scrollHeight;
if (location.hash.startsWith("#m-")) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
else if (matchMedia("(min-width: 700px)").matches && !$("#modal[open]")) $("#channel textarea")?.focus();
