// Traps of the module at will. To be imported before what loads the module.

/** Instances that were made, the newest last, with the calls that they had since the last trap. */
export const instances = [];
let next;

/** The next call of this export does not come back as it should. */
export const trapIn = (name) => {
  next = name;
};
/** The export that is to trap; undefined once it has. */
export const trap = () => next;

const { Instance } = WebAssembly;
WebAssembly.Instance = function instantiate(module, imports) {
  const { exports } = new Instance(module, imports);
  if (!exports.gs_end) return { exports };
  const calls = [];
  const watched = {};
  for (const [name, value] of Object.entries(exports)) {
    watched[name] = name.startsWith("gs_") || name === "convert" ? watch(name, value, calls) : value;
  }
  instances.push({ calls, memory: exports.memory });
  return { exports: watched };
};

function watch(name, call, calls) {
  return (...given) => {
    calls.push(name);
    if (next !== name) return call(...given);
    next = undefined;
    calls.length = 0;
    throw new WebAssembly.RuntimeError("unreachable");
  };
}
