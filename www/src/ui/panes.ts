// Which of list, trace and span is in front on a narrow screen, and where the keyboard is.
import { pane } from "../state.js";

export const focusOn = (id: string): void => document.getElementById(id)?.focus();

/** Brings a pane to the front. The keyboard goes along, but not away from what was clicked and is still there. */
export function openPane(next: typeof pane.value, id: string, by: "key" | "click"): void {
  pane.value = next;
  if (by === "key" || matchMedia("(max-width: 760px)").matches) requestAnimationFrame(() => focusOn(id));
}
