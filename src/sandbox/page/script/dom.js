// What every part of the script uses: finding elements, telling people, copying.

/** Whose page this is: an id. */
export const me = document.body.dataset.me;

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export function toast(text, wrong = false) {
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

export async function copyText(text) {
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
