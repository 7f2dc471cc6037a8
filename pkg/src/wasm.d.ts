// The WebAssembly module as runtimes and their bundlers provide it.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}

// As build.mjs embeds it into index.ts.
declare module "*.wasm?base64" {
  const base64: string;
  export default base64;
}
