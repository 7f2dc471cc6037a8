// Which of list, trace and span is visible on a narrow screen, and which pane has the keyboard focus.
import { pane } from "../state.js";

export const focusOn = (id: string): void => document.getElementById(id)?.focus();

/** Brings a pane to the front and moves the focus there, unless it is on an element that was clicked and still exists. */
export function openPane(next: typeof pane.value, id: string, by: "key" | "click"): void {
  pane.value = next;
  if (by === "key" || matchMedia("(max-width: 760px)").matches) requestAnimationFrame(() => focusOn(id));
}
