// Times in the reader's own zone and words, and what counts down.

import { $$ } from "./dom.js";
import { refresh } from "./live.js";

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

export function tellTime() {
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
