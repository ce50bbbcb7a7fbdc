// The page's script. The server draws; this sends what people do and, whenever something changed, fetches the same
// address again and changes only what differs, so that focus, scroll and half-typed text stay.

const me = document.body.dataset.me;
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- acts ------------------------------------------------------------------------------------------------------------

async function act(path, body) {
  const answer = await fetch(`/sim/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error ?? `The simulator answered ${answer.status}.`);
  return json;
}

/** Does something for an element that shows that it is busy meanwhile; what goes wrong is told. */
async function busy(element, work) {
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

function toast(text, wrong = false) {
  const note = document.createElement("p");
  note.className = wrong ? "toast wrong" : "toast";
  note.textContent = text;
  // A modal dialog makes everything else inert and covers it: what it has to say stands inside.
  const dialog = $("#modal[open] form");
  (dialog ? toastsIn(dialog) : $("#toasts")).append(note);
  setTimeout(() => note.remove(), 8000);
}

function toastsIn(dialog) {
  let place = $(".toasts", dialog);
  if (!place) {
    place = document.createElement("div");
    place.className = "toasts";
    place.setAttribute("role", "status");
    place.dataset.keep = "";
    place.id = "dialog-toasts";
    dialog.append(place);
  }
  return place;
}

/** Asks before an act, in the words of the app. */
function ask(confirm) {
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

const surfaceOf = (element) => JSON.parse(element.closest("[data-surface]").dataset.surface);

async function press(element, action, block, value) {
  const surface = surfaceOf(element);
  const asked = element.closest("[data-confirm]")?.dataset.confirm;
  if (asked && !(await ask(JSON.parse(asked)))) return;
  await busy(element, async () => {
    const form = element.closest("form[data-view]");
    if (form) await act("fill", { person: me, view: form.dataset.view, entries: entries(form) });
    await act("press", { person: me, on: surface, block_id: block, action_id: action, value });
  });
}

// ---- forms -----------------------------------------------------------------------------------------------------------

/** What stands in one input, as the simulator takes it. */
function entered(field) {
  const own = (selector) => $(selector, field);
  switch (field.dataset.input) {
    case "radio_buttons":
      return own("input:checked")?.value ?? null;
    case "checkboxes":
    case "multi_static_select":
      return $$("input:checked", field).map((input) => input.value);
    case "static_select":
    case "external_select": {
      const select = own("select");
      return (select ? select.value : own("[role=combobox]").dataset.value) || null;
    }
    default:
      return own("input, textarea")?.value || null;
  }
}

const entry = (field) => ({ block_id: field.dataset.block, action_id: field.dataset.action, value: entered(field) });

const entries = (form) =>
  $$("[data-input]", form)
    .filter((field) => $("input, textarea, select", field))
    .map(entry);

/** Numbers are checked here, as Slack's own client does. */
function wrongNumber(form) {
  for (const input of $$('[data-input="number_input"] input', form)) {
    const value = Number(input.value);
    const { min, max } = input.dataset;
    const wrong =
      input.value !== "" &&
      (Number.isNaN(value) || (min !== undefined && value < Number(min)) || (max !== undefined && value > Number(max)));
    input.setCustomValidity(wrong ? `A number${min ? ` from ${min}` : ""}${max ? ` to ${max}` : ""}, please.` : "");
    if (wrong) {
      input.reportValidity();
      return true;
    }
  }
  return false;
}

async function submit(form) {
  if (wrongNumber(form)) return;
  await busy($("footer .primary", form), async () => {
    const outcome = await act("submit", { person: me, view: form.dataset.view, entries: entries(form) });
    if (outcome.problem && outcome.delivery !== null) toast(outcome.problem, true);
    await refresh();
    $("#modal .field.wrong input, #modal .field.wrong textarea, #modal .field.wrong select")?.focus();
  });
}

const closeView = (form) => busy(null, () => act("close", { person: me, view: form.dataset.view }));

// ---- searches in long or distant lists of options ------------------------------------------------------------------------

const searches = new WeakMap();

const listOf = (input) => document.getElementById(input.getAttribute("aria-controls"));

function showOptions(input, shown) {
  const list = listOf(input);
  list.hidden = !shown;
  input.setAttribute("aria-expanded", String(shown));
  if (!shown) input.removeAttribute("aria-activedescendant");
}

function mark(input, option) {
  for (const other of $$("[role=option]", listOf(input))) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }
}

const visible = (input) => $$("[role=option]:not([hidden])", listOf(input));
const marked = (input) => visible(input).find((option) => option.getAttribute("aria-selected") === "true");

function choose(input, option) {
  input.value = option.textContent;
  input.dataset.value = option.dataset.value;
  showOptions(input, false);
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

async function search(input) {
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

function searchKey(event, input) {
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

// ---- the composer ------------------------------------------------------------------------------------------------------

const grow = (area) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 180)}px`;
};

async function send(form) {
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
function complete(area) {
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

function take(area, line) {
  const before = area.value.slice(0, area.selectionStart);
  const after = area.value.slice(area.selectionStart);
  const start = before.length - line.dataset.word.length;
  area.value = `${before.slice(0, start)}${line.dataset.text} ${after.trimStart()}`;
  area.selectionStart = area.selectionEnd = start + line.dataset.text.length + 1;
  area.focus();
  keepDraft(area);
  complete(area);
}

function composerKey(event, area) {
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
    const exact = list.hidden || $$("#completions li").some((own) => own.dataset.text === area.value.trim());
    // A half-typed command is completed; a whole one is sent.
    if (!exact && area.value.startsWith("/")) take(area, $('[aria-selected="true"]', list) ?? list.firstChild);
    else send(area.closest("form"));
  }
}

const draftKey = (area) => `idp.draft.${me}.${area.id}`;
const keepDraft = (area) =>
  area.value ? sessionStorage.setItem(draftKey(area), area.value) : sessionStorage.removeItem(draftKey(area));

// ---- going places, and keeping up to date --------------------------------------------------------------------------------

let fetching = null;
let again = false;

/** Draws the page anew from the server; calls that come while one is under way become one more. */
function refresh() {
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

async function go(href, push = true) {
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

const sameNode = (one, other) =>
  one.nodeType === other.nodeType &&
  one.nodeName === other.nodeName &&
  (one.id ?? "") === (other.id ?? "") &&
  (one.dataset?.key ?? "") === (other.dataset?.key ?? "");

/** Attributes that people or this script change, and the server doesn't know of. */
const OURS = new Set(["open", "style", "aria-busy", "aria-expanded", "aria-activedescendant", "data-drawn"]);

/** Makes `old` like `fresh`, keeping nodes that are the same. */
function morph(old, fresh) {
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

/** Everything that follows from what is drawn now. */
function settle() {
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

const firstField = (form) => $(".content input, .content textarea, .content select, .content button, footer .primary, footer button", form);

// What is unread is remembered by this browser, for each person.
const readKey = `idp.read.${me}`;
const read = () => JSON.parse(localStorage.getItem(readKey) ?? "{}");

function markUnread() {
  const seen = read();
  const here = document.body.dataset.channel;
  const lines = $$("#sidebar a[data-channel]");
  const current = lines.find((line) => line.dataset.channel === here);
  if (current?.dataset.latest && document.visibilityState === "visible" && seen[here] !== current.dataset.latest) {
    seen[here] = current.dataset.latest;
    localStorage.setItem(readKey, JSON.stringify(seen));
  }
  let count = 0;
  for (const line of lines) {
    const fresh = (line.dataset.latest ?? "") > (seen[line.dataset.channel] ?? "");
    line.classList.toggle("fresh", fresh);
    $(".unread", line).hidden = !fresh;
    if (fresh) count += 1;
  }
  document.title = `${count ? `(${count}) ` : ""}${document.body.dataset.title}`;
}

// ---- time ------------------------------------------------------------------------------------------------------------

const DATES = {
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { year: "numeric", month: "long", day: "numeric", weekday: "long" },
};

function inWords(at, name, first) {
  const bare = name.replace(/_pretty$/, "");
  if (bare !== name) {
    const days = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
    const near = ["yesterday", "today", "tomorrow"][days + 1];
    if (near) return first ? near[0].toUpperCase() + near.slice(1) : near;
  }
  const shape = DATES[bare];
  return shape ? new Intl.DateTimeFormat(undefined, { ...shape, hour12: false }).format(at) : `{${name}}`;
}

/** Times in the reader's own zone, and what counts down. */
function tellTime() {
  for (const time of $$("time[data-format]")) {
    if (time.dataset.drawn) continue;
    const at = new Date(Number(time.dataset.at) * 1000);
    const server = time.outerHTML;
    time.title = at.toLocaleString();
    time.textContent = time.dataset.format.replaceAll(/\{(\w+)\}/g, (_, name, place) => inWords(at, name, place === 0 && time.closest(".day") !== null));
    time.dataset.drawn = server;
  }
  for (const time of $$("time[data-until]")) {
    const left = Math.ceil((new Date(time.dataset.until) - Date.now()) / 1000);
    if (left > 0) time.textContent = `${left} s`;
    else if (time.closest(".chip")) {
      time.closest(".chip").remove();
      refresh();
    }
  }
}

setInterval(tellTime, 1000);

// ---- events ----------------------------------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  for (const menu of $$("details.menu[open]")) if (!menu.contains(target)) menu.open = false;

  const nav = target.closest("a[data-nav]");
  if (nav && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    const from = nav.id || nav.closest("[id]")?.id;
    await go(nav.href);
    if (nav.classList.contains("close")) document.getElementById(from)?.focus();
    else if (nav.closest("#sidebar")) $("#channel textarea")?.focus();
    else $("#side textarea, #side .log")?.focus();
    return;
  }
  const pressed = target.closest("[data-press]");
  if (pressed) {
    const { press: action, block, choice, value } = pressed.dataset;
    const menu = pressed.closest("details");
    if (menu) menu.open = false;
    await press(pressed, action, block, choice ?? value ?? null);
    return;
  }
  const option = target.closest(".search [role=option]");
  if (option) {
    const input = $("[role=combobox]", option.closest(".search"));
    choose(input, option);
    input.focus();
    return;
  }
  const line = target.closest(".completion [role=option]");
  if (line) {
    take($("textarea", line.closest("form")), line);
    return;
  }
  const closing = target.closest("[data-close]");
  if (closing) {
    closeView(closing.closest("form"));
    return;
  }
  const copy = target.closest("[data-copy]");
  if (copy) {
    await copyText($("pre", copy.parentElement).textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
    return;
  }
  const lever = target.closest("[data-lever]");
  if (lever) {
    lever.closest("details").open = false;
    await busy(lever, async () => {
      await act("levers", JSON.parse(lever.dataset.lever));
      toast(lever.dataset.told);
    });
    return;
  }
  const join = target.closest("[data-join]");
  if (join) {
    await busy(join, () => act("admin", { invite: { channel: join.dataset.join, who: document.body.dataset.as } }));
    return;
  }
  const twice = target.closest("[data-again]");
  if (twice) {
    await busy(twice, async () => {
      await act("redeliver", { id: Number(twice.dataset.again) });
      toast("Delivered again; its answer stands in the record.");
    });
    return;
  }
  if (target.closest("#menu")) {
    const open = document.body.classList.toggle("menu-open");
    $("#menu").setAttribute("aria-expanded", String(open));
    if (open) $("#sidebar a[aria-current]")?.focus();
  } else if (document.body.classList.contains("menu-open") && !target.closest("#sidebar")) {
    closeMenu();
  }
});

function closeMenu() {
  document.body.classList.remove("menu-open");
  $("#menu").setAttribute("aria-expanded", "false");
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard without a secure context: the old way.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

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
    await press(field, field.dataset.action, field.dataset.block, entered(field));
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

// A browser keeps six connections to one host, so a tab that nobody looks at gives its own back after a while.
const HIDDEN_FOR_MS = 60_000;
let events = null;
let hidden = 0;

function listen() {
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

listen();

settle();
for (const log of $$("[data-scroll]")) if (!log.dataset.scroll.startsWith("behind")) log.scrollTop = log.scrollHeight;
if (location.hash.startsWith("#m-")) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
else if (matchMedia("(min-width: 700px)").matches && !$("#modal[open]")) $("#channel textarea")?.focus();
