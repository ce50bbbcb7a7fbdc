// What is unread: remembered by this browser, for each person.

import { $, $$, me } from "./dom.js";

const readKey = `idp.read.${me}`;
const read = () => JSON.parse(localStorage.getItem(readKey) ?? "{}");

/** Marks the lines of the sidebar that have news; the open channel, and on Discord the open thread, is read by being looked at. */
export function markUnread() {
  const seen = read();
  const here = document.body.dataset.channel;
  const lines = $$("#sidebar a[data-channel]");
  const looked = lines.filter((line) => line.dataset.channel === here || line.hasAttribute("aria-current"));
  for (const { dataset } of looked) {
    if (dataset.latest && document.visibilityState === "visible" && seen[dataset.channel] !== dataset.latest) {
      seen[dataset.channel] = dataset.latest;
      localStorage.setItem(readKey, JSON.stringify(seen));
    }
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
