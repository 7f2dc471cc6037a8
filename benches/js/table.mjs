// The tables of the bench: in a terminal row by row as they come, and in docs/performance.md between the marks of their names.
import { readFileSync, writeFileSync } from "node:fs";
import { bold, dim, green, left, red, right } from "../../demo/terminal.mjs";

const PAGE = new URL("../../docs/performance.md", import.meta.url);
const { stdout } = process;

const tables = [];

/** In the place of what there is not. */
export const NONE = { text: "–" };

/** A number with two digits that count, at most one of them a decimal. */
export const short = (n) => (n < 0.95 ? n.toFixed(2) : n < 9.95 ? n.toFixed(1) : n.toFixed(0));
export const times = (n) => `${short(n)}×`;

/** `ratio` in the place of its target: at least (`least`) or at most (`most`) so much. */
export function wanted(ratio, { least, most } = {}) {
  const shown = Number(short(ratio));
  if (least !== undefined) return { text: times(ratio), target: `≥${least}`, met: shown >= least };
  if (most !== undefined) return { text: times(ratio), target: `≤${most}`, met: shown <= most };
  return { text: times(ratio) };
}

const coloured = ({ met }) => (met === undefined ? bold : met ? green : red);

function line(columns, cells) {
  return columns
    .map(({ size, text }, i) => {
      const cell = typeof cells[i] === "object" ? cells[i] : { text: cells[i] ?? "" };
      if (text) return left(cell.text, size);
      const target = cell.target ? ` ${cell.target.padEnd(4)}` : "";
      const value = right(cell.text, size - target.length);
      return (cell.text === "" || cell.text === "–" ? dim : coloured(cell))(value) + dim(target);
    })
    .join(" ");
}

/**
 * Starts a table. `columns`: `{title, size, text}`, `text` for those that hold words. Gives what adds a row: `label` cells appear at once, those
 * that `measured` resolves to when they are there.
 */
export function table(name, title, columns, notes = []) {
  const rows = [];
  tables.push({ name, columns, rows });
  console.log(`\n${bold(title)}`);
  for (const note of notes) console.log(dim(`  ${note}`));
  const heads = columns.map(({ title, size, text }) => (text ? left(title, size) : right(title, size)));
  console.log(`\n  ${dim(heads.join(" "))}`);
  return async (label, measured) => {
    if (stdout.isTTY) stdout.write(`  ${line(columns, label)}${dim("…")}`);
    const cells = [...label, ...(await measured())];
    if (stdout.isTTY) stdout.write("\r\x1b[2K");
    console.log(`  ${line(columns, cells)}`);
    rows.push(cells);
  };
}

const plain = (cell) => {
  const { text, target } = typeof cell === "object" ? cell : { text: cell ?? "" };
  return (target ? `${text} (${target})` : text).replaceAll("|", "\\|");
};

function markdown({ columns, rows }) {
  const bar = (cells) => `| ${cells.join(" | ")} |`;
  return [
    bar(columns.map(({ title }) => title)),
    bar(columns.map(({ text }) => (text ? "---" : "--:"))),
    ...rows.map((cells) => bar(columns.map((_, i) => plain(cells[i])))),
  ].join("\n");
}

/** Writes every table that was made, and `where`, a sentence, into the page; where a runtime was not there its table stays. */
export function writePage(where) {
  let page = readFileSync(PAGE, "utf8");
  const put = (name, text) => {
    const [begin, end] = [`<!-- bench: ${name} -->`, "<!-- /bench -->"];
    const from = page.indexOf(begin);
    const to = page.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`docs/performance.md has no place for the table ${name}`);
    page = `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
  };
  put("where", where);
  for (const made of tables) put(made.name, markdown(made));
  writeFileSync(PAGE, page);
}
