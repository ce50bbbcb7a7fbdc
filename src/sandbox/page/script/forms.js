// Modals: reading what stands in their inputs, sending and closing them.

import { act, busy } from "./acts.js";
import { $, $$, me, toast } from "./dom.js";
import { refresh } from "./live.js";

/** What stands in one input, as the simulator takes it. */
export function entered(field) {
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

export const entry = (field) => ({ block_id: field.dataset.block, action_id: field.dataset.action, value: entered(field) });

export const entries = (form) =>
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

export async function submit(form) {
  if (wrongNumber(form)) return;
  await busy($("footer .primary", form), async () => {
    const outcome = await act("submit", { person: me, view: form.dataset.view, entries: entries(form) });
    if (outcome.problem && outcome.delivery !== null) toast(outcome.problem, true);
    await refresh();
    $("#modal .field.wrong input, #modal .field.wrong textarea, #modal .field.wrong select")?.focus();
  });
}

export const closeView = (form) => busy(null, () => act("close", { person: me, view: form.dataset.view }));

export const firstField = (form) => $(".content input, .content textarea, .content select, .content button, footer .primary, footer button", form);
