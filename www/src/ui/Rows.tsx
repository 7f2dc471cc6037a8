// A list or tree of rows of equal height, of which only the visible ones are in the document. The keyboard moves the selected row. Visible
// rows keep their place when rows are added above them.
import type { ComponentChildren, HTMLAttributes } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

interface Props<T> {
  items: readonly T[];
  height: number;
  keyOf: (item: T) => string;
  chosen: string | undefined;
  choose: (item: T) => void;
  /** Opens the object of the row, with Enter or a click. */
  enter: (item: T, by: "key" | "click") => void;
  leave: () => void;
  /** Handles ← and →. */
  side?: (item: T, direction: -1 | 1) => void;
  role: "listbox" | "tree";
  id: string;
  label: string;
  row: (item: T) => ComponentChildren;
  attributes?: (item: T) => HTMLAttributes<HTMLDivElement>;
  empty?: ComponentChildren;
}

const SPARE = 8;

export function Rows<T>(props: Props<T>) {
  const { items, height, keyOf, chosen, role, id, label, row, attributes, empty } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const anchor = useRef<{ key: string; offset: number } | undefined>(undefined);
  const at = items.findIndex((item) => keyOf(item) === chosen);

  const look = () => {
    if (box.current === null) return;
    const { scrollTop, clientHeight } = box.current;
    setView({ top: scrollTop, height: clientHeight });
    const first = items[Math.floor(scrollTop / height)];
    anchor.current = first && scrollTop > 0 ? { key: keyOf(first), offset: scrollTop % height } : undefined;
  };
  useLayoutEffect(() => {
    const held = anchor.current;
    const now = held ? items.findIndex((item) => keyOf(item) === held.key) : -1;
    if (held && now >= 0 && box.current) box.current.scrollTop = now * height + held.offset;
  }, [items]);
  useEffect(() => {
    const watch = new ResizeObserver(look);
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, [items]);
  useLayoutEffect(() => {
    const rows = box.current;
    if (at < 0 || rows === null) return;
    const bottom = (at + 1) * height - rows.clientHeight;
    if (at * height < rows.scrollTop) rows.scrollTop = at * height;
    else if (bottom > rows.scrollTop) rows.scrollTop = bottom;
  }, [chosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(view.height / height) - 1);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: Math.max(0, at - 1),
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = moves[event.key];
    const item = items[at];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (to !== undefined && items.length > 0) props.choose(items[Math.min(items.length - 1, Math.max(0, to))]!);
    else if (event.key === "Enter" && item !== undefined) props.enter(item, "key");
    else if (event.key === "Escape") props.leave();
    else if (event.key === "ArrowRight" && item !== undefined) props.side?.(item, 1);
    else if (event.key === "ArrowLeft" && item !== undefined) props.side?.(item, -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const first = Math.max(0, Math.floor(view.top / height) - SPARE);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / height) + SPARE);
  const isInSight = at >= first && at < last;
  if (items.length === 0 && empty !== undefined) return <div class="rows-empty">{empty}</div>;
  return (
    <div
      ref={box}
      id={id}
      class="rows"
      role={role}
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={isInSight ? `${id}-${at}` : undefined}
      onScroll={look}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" class="rows-all" style={{ height: `${items.length * height}px` }}>
        {items.slice(first, last).map((item, i) => (
          <div
            key={keyOf(item)}
            id={`${id}-${first + i}`}
            class="row"
            role={role === "tree" ? "treeitem" : "option"}
            aria-selected={first + i === at}
            aria-posinset={first + i + 1}
            aria-setsize={items.length}
            style={{ height: `${height}px`, transform: `translateY(${(first + i) * height}px)` }}
            onClick={() => {
              props.choose(item);
              props.enter(item, "click");
            }}
            {...attributes?.(item)}
          >
            {row(item)}
          </div>
        ))}
      </div>
    </div>
  );
}
